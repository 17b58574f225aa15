import { expect, test } from 'vitest'
import type { SampleScores, SampleTable } from '../../../../../ui/contract.ts'
import {
  confidenceFigures,
  filteredSamples,
  scoreFigures,
  sortedSamples,
  type SampleFigures,
  type SampleFilter,
  type SampleSort,
} from '../../../../../ui/web/views/run/tabs/sample-order.ts'

const table: SampleTable = {
  classes: ['a', 'b'],
  sets: ['forget', 'retained', 'test'],
  set: [0, 0, 0, 1, 1, 2],
  number: [14, 3, 9, 2, 1, 0],
  label: [0, 1, 0, 1, 0, 1],
  models: [
    { label: 'gold', isGold: true, confidence: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], predicted: [] },
    { label: 'original', isGold: false, confidence: [0.6, 0.1, 0.9, 0.5, 1, 0.6], predicted: [] },
  ],
  attacks: ['loss', 'lira'],
  missing: [],
  left: 0,
}
const scores: SampleScores = {
  attack: 'lira',
  models: [{ label: 'original', scores: [-2.5, 3, 1, null, null, 0.25] }],
  missing: [{ label: 'gold', reason: 'the model was not attacked this way' }],
}
const ordered = (
  choice: Partial<SampleSort & SampleFilter>,
  figures: SampleFigures = confidenceFigures(table),
) => [
  ...filteredSamples(table, sortedSamples(table, figures, { from: 0, to: 1, by: 'change', ...choice }), {
    ...{ set: -1, label: -1, ...choice },
  }),
]

test('those samples come first on which the models differ most, in either direction', () => {
  expect(ordered({})).toEqual([4, 1, 2, 0, 5, 3])
  expect(ordered({ from: 1, to: 0 })).toEqual([4, 1, 2, 0, 5, 3])
  // A model does not differ from itself: the order of the table.
  expect(ordered({ from: 1 })).toEqual([0, 1, 2, 3, 4, 5])
})

test('sorted by the confidence of the second model, or by number', () => {
  expect(ordered({ by: 'lowest' })).toEqual([1, 3, 0, 5, 2, 4])
  expect(ordered({ by: 'highest' })).toEqual([4, 2, 0, 5, 3, 1])
  expect(ordered({ by: 'number' })).toEqual([5, 4, 3, 1, 2, 0])
})

test('a set and a class leave out the other samples', () => {
  expect(ordered({ set: 0 })).toEqual([1, 2, 0])
  expect(ordered({ label: 1 })).toEqual([1, 5, 3])
  expect(ordered({ set: 1, label: 0 })).toEqual([4])
  expect(ordered({ set: 2, label: 0 })).toEqual([])
})

test('sorted by the scores of an attack, those without one last', () => {
  const figures = scoreFigures(table, scores)
  expect(ordered({ by: 'highest' }, figures)).toEqual([1, 2, 5, 0, 3, 4])
  expect(ordered({ by: 'lowest' }, figures)).toEqual([0, 5, 2, 1, 3, 4])
  // Gold was not attacked, so that no difference is known.
  expect(ordered({ by: 'change' }, figures)).toEqual([0, 1, 2, 3, 4, 5])
  expect(figures.range).toEqual([-2.5, 3])
  expect(figures.values[0]?.every(Number.isNaN)).toBe(true)
})

test('a table without models keeps its order', () => {
  const bare = { ...table, models: [] }
  const rows = sortedSamples(bare, confidenceFigures(bare), { from: 0, to: 0, by: 'change' })
  expect([...filteredSamples(bare, rows, { set: 0, label: -1 })]).toEqual([0, 1, 2])
})
