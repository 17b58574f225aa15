import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../../../common/errors.ts'
import { parseSweep } from '../../../../experiment/sweep/config.ts'
import { pointsOf } from '../../../../experiment/sweep/points.ts'
import { sweepSchema } from '../../../../experiment/sweep/space.ts'

const space = (given: object) => sweepSchema.parse({ name: 'sample', base: 'base.yaml', ...given })
const setsOf = (given: object) => pointsOf(space(given)).map(({ set }) => set)

describe('the points of a sweep', () => {
  test('are all combinations of a grid, the first path varying slowest', () => {
    expect(setsOf({ grid: { 'methods[0].rank': [1, 2], seeds: [3, 5] } })).toEqual([
      { 'methods[0].rank': 1, seeds: 3 },
      { 'methods[0].rank': 1, seeds: 5 },
      { 'methods[0].rank': 2, seeds: 3 },
      { 'methods[0].rank': 2, seeds: 5 },
    ])
  })

  test('advance zipped lists together, and cross groups with all else', () => {
    const zip = [{ 'data.name': ['digits', 'cifar10'], 'model.name': ['mlp', 'cnn'] }]
    expect(setsOf({ zip, grid: { seeds: [1, 2] } })).toEqual([
      { seeds: 1, 'data.name': 'digits', 'model.name': 'mlp' },
      { seeds: 1, 'data.name': 'cifar10', 'model.name': 'cnn' },
      { seeds: 2, 'data.name': 'digits', 'model.name': 'mlp' },
      { seeds: 2, 'data.name': 'cifar10', 'model.name': 'cnn' },
    ])
  })

  test('cross every base, beside single points, over what is set for all', () => {
    const points = pointsOf(
      space({
        base: ['a.yaml', 'b.yaml'],
        set: { seeds: 3, 'gold.models': 1 },
        grid: { seeds: [2] },
        points: [{ x: 1 }],
      }),
    )
    expect(points).toEqual([
      { base: 'a.yaml', set: { seeds: 2, 'gold.models': 1 } },
      { base: 'a.yaml', set: { seeds: 3, 'gold.models': 1, x: 1 } },
      { base: 'b.yaml', set: { seeds: 2, 'gold.models': 1 } },
      { base: 'b.yaml', set: { seeds: 3, 'gold.models': 1, x: 1 } },
    ])
  })

  test('leave a path out where its condition does not hold, and count what is then equal once', () => {
    expect(
      setsOf({ grid: { target: ['a', 'b', 'c'], epochs: [1, 2] }, only: { epochs: { target: ['b', 'c'] } } }),
    ).toEqual([
      { target: 'a' },
      { target: 'b', epochs: 1 },
      { target: 'b', epochs: 2 },
      { target: 'c', epochs: 1 },
      { target: 'c', epochs: 2 },
    ])
  })

  test('leave out what is excluded, by base too', () => {
    const points = pointsOf(
      space({
        base: ['a.yaml', 'b.yaml'],
        grid: { rank: [1, 2] },
        exclude: [{ base: 'a.yaml', rank: 2 }],
      }),
    )
    expect(points.map(({ base, set }) => [base, set.rank])).toEqual([
      ['a.yaml', 1],
      ['b.yaml', 1],
      ['b.yaml', 2],
    ])
  })

  test('are refused by their number before they are made, and where none is left', () => {
    const many = Array.from({ length: 100 }, (_, i) => i)
    expect(() => setsOf({ grid: { a: many, b: many, c: many } })).toThrow(
      new UserError(
        'the sweep has 1000000 points, and 5000 is the most; leave values out, or draw some at random',
      ),
    )
    expect(() => setsOf({ grid: { a: [1] }, exclude: [{ a: 1 }] })).toThrow(/all are excluded/)
  })
})

describe('random draws', () => {
  const range = fc
    .record({
      from: fc.double({ min: 1e-6, max: 1, noNaN: true }),
      times: fc.double({ min: 1.5, max: 1e6, noNaN: true }),
      scale: fc.constantFrom('linear' as const, 'log' as const),
    })
    .map(({ from, times, scale }) => ({ from, to: from * times, scale }))

  test('stay within their range, and whole where it is whole', () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 0, max: 1e9 }), (of, seed) => {
        for (const { x } of setsOf({ random: { samples: 20, seed, of: { x: of } } })) {
          expect(Number(x)).toBeGreaterThanOrEqual(of.from * (1 - 1e-5))
          expect(Number(x)).toBeLessThanOrEqual(of.to * (1 + 1e-5))
        }
      }),
    )
    const whole = setsOf({ random: { samples: 300, of: { x: { from: 1, to: 4, whole: true } } } })
    expect(new Set(whole.map(({ x }) => x))).toEqual(new Set([1, 2, 3, 4]))
  })

  test('do not change with the number of draws or with other paths', () => {
    const of = { x: { from: 1, to: 2 } }
    const few = setsOf({ random: { samples: 5, of } })
    const more = setsOf({ random: { samples: 9, of: { y: { choices: ['a', 'b'] }, ...of } } })
    expect(more.slice(0, 5).map(({ x }) => x)).toEqual(few.map(({ x }) => x))
  })

  test('spread over a logarithmic range decade by decade', () => {
    const drawn = setsOf({ random: { samples: 3000, of: { x: { from: 1e-4, to: 1e-1, scale: 'log' } } } })
    const decades = [-4, -3, -2].map(
      (power) => drawn.filter(({ x }) => Math.floor(Math.log10(Number(x))) === power).length,
    )
    for (const count of decades) expect(Math.abs(count - 1000)).toBeLessThan(120)
  })
})

describe("a sweep's config with a mistake is refused with its place", () => {
  const problemsOf = (lines: string) => {
    try {
      parseSweep({ file: 's.yaml', text: `name: s\nbase: b.yaml\n${lines}` })
    } catch (error) {
      if (error instanceof UserError) return error.problems.map(({ line, message }) => [line, message])
      throw error
    }
    return []
  }

  test.each([
    ['grids:\n  a: [1]', [[3, 'unknown key "grids"; did you mean "grid"?']]],
    ['grid:\n  a: []', [[4, 'grid.a: expected a list of at least 1 entry, found 0']]],
    [
      'zip:\n  - a: [1, 2]\n    b: [1]',
      [[4, 'the lists of a group advance together and need one length: a has 2, b has 1']],
    ],
    ['grid: { a: [1] }\nzip: [{ a: [2] }]', [[4, 'a is varied by grid already; remove one']]],
    [
      'random:\n  samples: 3\n  of:\n    a: { from: 0, to: 1, scale: log }',
      [[6, 'a logarithmic range begins above 0, and that of a at 0']],
    ],
    [
      'set:\n  a b: 1',
      [[4, '"a b" is no key of set; expected a path in an experiment, such as methods[0].rank']],
    ],
    ['exclude:\n  - { __proto__: 1 }', [[4, 'unknown key "__proto__"; no key may be called that']]],
    ['grid: { __proto__: [1] }', [[3, 'unknown key "__proto__"; no key may be called that']]],
    ['halving: { resource: seeds, rungs: [3, 1] }', [[3, 'the rungs ascend, and these are 3, 1']]],
  ])('%s', (lines, problems) => {
    expect(problemsOf(lines)).toEqual(problems)
  })
})
