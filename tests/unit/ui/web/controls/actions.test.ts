import { expect, test } from 'vitest'
import { runStates } from '../../../../../ui/contract.ts'
import { actionsFor } from '../../../../../ui/web/controls/actions.ts'

test('only runs that are under way can be paused, resumed or cancelled, and only others deleted', () => {
  for (const state of runStates) {
    const actions = actionsFor(state)
    const isUnderWay = state === 'running' || state === 'paused'
    expect(actions.includes('cancel'), state).toBe(isUnderWay)
    expect(actions.includes('delete'), state).toBe(!isUnderWay)
    expect(actions.includes('resume'), state).toBe(state === 'paused')
    expect(actions.includes('pause'), state).toBe(state === 'running')
  }
  expect(actionsFor('completed')).not.toContain('retry')
})
