import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columnNames } from '../../../experiment/sweep/column-names.ts'
import { differingColumns } from '../../../experiment/sweep/differing-columns.ts'
import { formatPath } from '../../../common/path.ts'
import { shownValue } from '../../../experiment/sweep/shown-value.ts'

describe('the name of a column', () => {
  test.each([
    [['methods[0].rank'], ['rank']],
    [
      ['methods[0].rank', 'methods[1].rank', 'methods[1].steps'],
      ['methods[0].rank', 'methods[1].rank', 'steps'],
    ],
    [
      ['data.name', 'split.kind'],
      ['data.name', 'split.kind'],
    ],
    [
      ['training.optimizer.learningRate', 'methods[2].optimizer.learningRate'],
      ['training.optimizer.learningRate', 'methods[2].optimizer.learningRate'],
    ],
    [
      ['methods[2]', 'seed'],
      ['methods[2]', 'seed'],
    ],
    [
      ['training.epochs', 'epochs'],
      ['training.epochs', 'epochs'],
    ],
  ])('is the shortest end that tells it from the others: %j', (paths, names) => {
    expect(columnNames(paths)).toEqual(names)
  })

  test('is one of its own, an end of its path', () => {
    const part = fc.constantFrom('a', 'b', 'rank', 'name')
    const path = fc
      .tuple(part, fc.array(fc.oneof(part, fc.nat(2)), { maxLength: 3 }))
      .map(([first, rest]) => formatPath([first, ...rest]))
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 8 }), (paths) => {
        const names = columnNames(paths)
        expect(new Set(names).size).toBe(paths.length)
        names.forEach((name, i) => {
          expect(paths[i]?.endsWith(name)).toBe(true)
        })
      }),
    )
  })
})

test.each([
  [undefined, null],
  [null, null],
  [0, 0],
  [false, false],
  ['leave-out', 'leave-out'],
  [{ name: 'adam', learningRate: 0.1 }, 'adam'],
  [{ kind: 'class', classes: [3] }, 'class'],
  [{ method: 'rfa' }, 'rfa'],
  [['stage3.*', 'head'], '["stage3.*","head"]'],
  [Array.from({ length: 40 }, (_, i) => i), '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,…'],
])('%j is shown as %j', (value, shown) => {
  expect(shownValue(value)).toBe(shown)
})

describe('specs differ', () => {
  test('in the smallest parts, lists of plain values being one, and names none', () => {
    const specs = [
      { name: 'a', data: { name: 'digits' }, split: { classes: [3] }, methods: [{ method: 'rfa', rank: 4 }] },
      {
        name: 'b',
        data: { name: 'digits' },
        split: { classes: [3, 4] },
        methods: [{ method: 'rfa', rank: 8 }],
      },
      { name: 'c', data: { name: 'digits' }, split: { classes: [3] }, methods: [{ method: 'rfa', rank: 8 }] },
    ]
    expect(differingColumns(specs)).toEqual({
      columns: [
        { name: 'classes', path: 'split.classes' },
        { name: 'rank', path: 'methods[0].rank' },
      ],
      values: [
        ['[3]', 4],
        ['[3,4]', 8],
        ['[3]', 8],
      ],
    })
  })

  test('in what some lack, and in that where others have it', () => {
    const specs = [{}, { probe: { samples: 10, layers: ['*'] } }, { probe: { samples: 20, layers: ['*'] } }]
    expect(differingColumns(specs)).toEqual({
      columns: [
        { name: 'probe', path: 'probe' },
        { name: 'samples', path: 'probe.samples' },
      ],
      values: [
        [null, null],
        ['{"samples":10,"layers":["*"]}', 10],
        ['{"samples":20,"layers":["*"]}', 20],
      ],
    })
  })

  test('nowhere exactly if they are the same but for their names', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()), (spec) => {
        expect(differingColumns([spec, structuredClone(spec)]).columns).toEqual([])
        expect(differingColumns([spec, { ...spec, c: 1 }]).columns).toEqual([{ name: 'c', path: 'c' }])
      }),
    )
  })
})
