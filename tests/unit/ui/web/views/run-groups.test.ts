import { expect, test } from 'vitest'
import { runProgress } from '../../../../support/page-fixture.ts'
import { sampleInput } from '../../../report/fixtures.ts'
import { kindsByGroup } from '../../../../../experiment/stages/stage.ts'
import { endedStages, groupsOf } from '../../../../../ui/web/views/run/groups.ts'

const { stages } = runProgress(sampleInput(), 5, 0)

test('every stage is in one group, in the order of the command line', () => {
  const groups = groupsOf(stages)
  expect(groups.flatMap((group) => group.stages).length).toBe(stages.length)
  const order = kindsByGroup.map(({ name }) => name)
  expect(groups.map(({ name }) => name)).toEqual(
    order.filter((name) => groups.some((group) => group.name === name)),
  )
})

test('a stage that another run computes is not waiting', () => {
  const [first, ...others] = stages.filter(({ state }) => state === 'waiting')
  if (!first) return expect.unreachable('no stage waits')
  const all = groupsOf([{ ...first, elsewhere: true }, ...others.filter(({ kind }) => kind === first.kind)])
  expect(all[0]?.elsewhere.map(({ key }) => key)).toEqual([first.key])
  expect(all[0]?.waiting).toBe((all[0]?.stages.length ?? 0) - 1)
})

test('stages that ended are counted, whether they failed or not', () => {
  const failed = stages.map((stage, i) => (i === 6 ? { ...stage, state: 'failed' as const } : stage))
  expect([endedStages(stages), endedStages(failed)]).toEqual([5, 6])
})
