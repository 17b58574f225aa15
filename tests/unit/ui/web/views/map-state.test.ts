import { describe, expect, test } from 'vitest'
import {
  colourOf,
  describeSample,
  describeSelection,
  nearest,
  placed,
  readQuery,
  squareOf,
  standardModels,
  toggled,
  within,
  writeList,
  type Model,
  type Sample,
} from '../../../../../ui/web/views/run/tabs/features/map-state.ts'

const model = (label: string, umap: Model['umap']): Model => ({ label, isGold: false, umap, pca: umap })
const models = [
  model('gold', [
    [0, 0],
    [4, 2],
  ]),
  model('a, b', [
    [-2, 1],
    [1, 1],
  ]),
  ...['c', 'd', 'e'].map((label) => model(label, [[0, 0]])),
]
const all = () => true

describe('the square of the maps', () => {
  const square = squareOf(models, 'umap')

  test('has all points of all models, and is the same for each', () => {
    expect(square.side).toBeCloseTo(6 * 1.08, 9)
    for (const [x, y] of models.flatMap(({ umap }) => umap).map((point) => placed(point, square, 100))) {
      expect(x).toBeGreaterThan(0)
      expect(x).toBeLessThan(100)
      expect(y).toBeGreaterThan(0)
      expect(y).toBeLessThan(100)
    }
  })

  test('has larger values further up', () => {
    expect(placed([0, 2], square, 100)[1]).toBeLessThan(placed([0, 0], square, 100)[1])
  })

  test('has a size without points', () => {
    expect(squareOf([], 'pca').side).toBeGreaterThan(0)
  })
})

describe('the pointer', () => {
  const square = { left: 0, top: 10, side: 10 }
  const points = [
    [1, 9],
    [2, 9],
    [9, 1],
  ] as const

  test('finds the nearest shown sample within its reach', () => {
    expect(nearest(points, all, square, 100, [16, 10])).toBe(1)
    expect(nearest(points, (i) => i !== 1, square, 100, [16, 10])).toBe(0)
    expect(nearest(points, all, square, 100, [50, 50])).toBeUndefined()
  })

  test('selects the shown samples between two corners in any order', () => {
    expect(
      within(points, all, square, 100, [
        [25, 20],
        [5, 5],
      ]),
    ).toEqual(new Set([0, 1]))
    expect(
      within(points, (i) => i > 0, square, 100, [
        [0, 0],
        [100, 100],
      ]),
    ).toEqual(new Set([1, 2]))
    expect(
      within(points, all, square, 100, [
        [40, 40],
        [60, 60],
      ]),
    ).toEqual(new Set())
  })
})

describe('the address of the view', () => {
  const view = { models, classes: ['0', '1'] }

  test('has the first models, both maps and all sets by default', () => {
    expect(readQuery(view, {})).toEqual({
      models: ['gold', 'a, b', 'c', 'd'],
      kinds: ['umap', 'pca'],
      colour: 'class',
      sets: ['forget', 'retained', 'test'],
    })
    expect(writeList(standardModels(view), standardModels(view))).toBeUndefined()
  })

  test('keeps what was chosen, with names that contain commas', () => {
    const models = writeList(['a, b', 'e'], standardModels(view))
    const read = readQuery(view, {
      ...(models !== undefined && { models }),
      maps: 'pca',
      colour: 'set',
      sets: 'test',
    })
    expect(read).toEqual({ models: ['a, b', 'e'], kinds: ['pca'], colour: 'set', sets: ['test'] })
  })

  test('takes unknown names for none, and many classes have no colours', () => {
    expect(readQuery(view, { models: 'x,%E0', maps: 'x' })).toEqual(readQuery(view, {}))
    const many = Array.from({ length: 100 }, (_, i) => String(i))
    expect(readQuery({ models, classes: many }, {}).colour).toBe('set')
  })

  test('never loses the last choice', () => {
    expect(toggled(['a', 'b'], ['a'], 'b')).toEqual(['a', 'b'])
    expect(toggled(['a', 'b'], ['b', 'a'], 'a')).toEqual(['b'])
    expect(toggled(['a', 'b'], ['b'], 'b')).toEqual(['b'])
  })
})

describe('samples in words', () => {
  const samples: readonly Sample[] = [
    { set: 'forget', number: 7, label: 1 },
    { set: 'test', number: 3, label: 0 },
    { set: 'forget', number: 8, label: 1 },
  ]

  test('name the set, the number and the class', () => {
    expect(samples.map((sample) => describeSample(sample, ['cat', 'dog']))).toEqual([
      'training sample 7: class dog, forget set',
      'test sample 3: class cat, test set',
      'training sample 8: class dog, forget set',
    ])
    expect(colourOf({ set: 'test', number: 1, label: 3 }, 'class')).toBe('series-3')
    expect(colourOf({ set: 'test', number: 1, label: 3 }, 'set')).toBe('test')
  })

  test('of a selection are counted by set and class', () => {
    expect(describeSelection(samples, new Set([0, 1, 2]), ['cat', 'dog'])).toBe(
      '3 selected: 2 of the forget set, 1 of the test set. Classes: dog (2), cat (1).',
    )
    const many = Array.from({ length: 8 }, (_, label): Sample => ({ set: 'test', number: 0, label }))
    const names = many.map(({ label }) => `k${label}`)
    expect(describeSelection(many, new Set(many.keys()), names)).toMatch(/k5 \(1\) and 2 more\.$/)
  })
})
