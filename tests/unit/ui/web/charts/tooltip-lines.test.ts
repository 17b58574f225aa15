import { expect, test } from 'vitest'
import { tooltipLines } from '../../../../../ui/web/charts/tooltip-lines.ts'

test('a tooltip has the values that a mark encodes', () => {
  expect(tooltipLines({ step: '20', loss: 0.5, nothing: null })).toEqual(['step: 20', 'loss: 0.5'])
  expect(tooltipLines('text')).toEqual(['text'])
  for (const nothing of [undefined, null, '', {}]) expect(tooltipLines(nothing)).toEqual([])
})
