import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Halving, type Item, type Objective } from '../../../../experiment/sweep/halving.ts'

interface Case {
  readonly objectives: readonly (readonly Objective[])[]
  readonly rungs: number
  readonly factor: number
}

const cases = fc
  .record({
    cells: fc.integer({ min: 1, max: 30 }),
    rungs: fc.integer({ min: 1, max: 4 }),
    factor: fc.integer({ min: 2, max: 4 }),
  })
  .chain(({ cells, rungs, factor }) =>
    fc.record({
      objectives: fc.array(
        fc.array(
          fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 20 }) }, fc.constant('none' as const)),
          {
            minLength: rungs,
            maxLength: rungs,
          },
        ),
        { minLength: cells, maxLength: cells },
      ),
      rungs: fc.constant(rungs),
      factor: fc.constant(factor),
    }),
  )

/**
 * Runs all cells, `parallel` at a time. `pick` decides which ends next. Returns the cells of each
 * rung.
 */
function conducted(
  { objectives, rungs, factor }: Case,
  parallel: number,
  pick: (n: number) => number,
): boolean[][] {
  const halving = new Halving(objectives.length, rungs, factor)
  const running: Item[] = []
  for (;;) {
    while (running.length < parallel) {
      const item = halving.take()
      if (!item) break
      running.push(item)
    }
    const [item] = running.splice(pick(running.length), 1)
    if (!item) break
    halving.record(item, objectives[item.cell]?.[item.rung] ?? 'none')
  }
  return objectives.map((_, cell) =>
    Array.from({ length: rungs }, (_, rung) => halving.entered({ cell, rung })),
  )
}

describe('successive halving', () => {
  test('decides the same whatever finishes first and however many run at a time', () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat()),
        (one, parallel, numbers) => {
          const pick = (n: number) => (n === 0 ? 0 : Number(numbers.next().value) % n)
          expect(conducted(one, parallel, pick)).toEqual(conducted(one, 1, () => 0))
        },
      ),
    )
  })

  test('lets no cell into a rung that did not go through the one below, and none whose figure is missing', () => {
    fc.assert(
      fc.property(cases, (one) => {
        conducted(one, 3, () => 0).forEach((entered, cell) => {
          expect(entered[0]).toBe(true)
          for (let rung = 1; rung < one.rungs; rung++)
            if (entered[rung]) {
              expect(entered[rung - 1]).toBe(true)
              expect(one.objectives[cell]?.[rung - 1]).not.toBe('none')
            }
        })
      }),
    )
  })

  test('sends the best of each rung on, as long as one has a figure', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const entered = conducted(one, 3, () => 0)
        for (let rung = 1; rung < one.rungs; rung++) {
          const below = one.objectives.flatMap((own, cell) => {
            const value = own[rung - 1]
            return entered[cell]?.[rung - 1] && typeof value === 'number' ? [{ cell, value }] : []
          })
          const best = Math.min(...below.map(({ value }) => value))
          const sent = below.filter(({ cell }) => entered[cell]?.[rung])
          expect(sent.length > 0).toBe(below.length > 0)
          if (below.length >= one.factor) expect(sent.some(({ value }) => value === best)).toBe(true)
        }
      }),
    )
  })

  test('stops most: of cells that come in no particular order about one in `factor` goes on', () => {
    const objectives = Array.from({ length: 900 }, (_, i) => [(i * 7919) % 900, 0] as const)
    const entered = conducted({ objectives, rungs: 2, factor: 3 }, 4, () => 0)
    const sent = entered.filter(([, second]) => second).length
    expect(sent).toBeGreaterThanOrEqual(300)
    expect(sent).toBeLessThan(360)
  })

  test('runs what was sent on before it tries more cells', () => {
    const halving = new Halving(10, 2, 2)
    for (const value of [5, 3]) {
      const item = halving.take()
      if (item) halving.record(item, value)
    }
    expect(halving.take()).toEqual({ cell: 1, rung: 1 })
    expect(halving.take()).toEqual({ cell: 2, rung: 0 })
  })
})
