import fc from 'fast-check'
import { expect, test } from 'vitest'
import { margins } from '../../../../../unlearning/population/margin.ts'
import { unseenMargins } from '../../../../../unlearning/methods/rfa/unseen-margins.ts'

const classes = 3
const logit = fc.float({ min: -8, max: 8, noNaN: true })
const set = fc.array(fc.tuple(fc.array(logit, { minLength: 3, maxLength: 3 }), fc.nat(2)), {
  minLength: 1,
  maxLength: 30,
})
const logitsOf = (rows: readonly (readonly [number[], number])[]) => ({
  values: Float32Array.from(rows.flatMap(([values]) => values)),
  labels: Int32Array.from(rows, ([, label]) => label),
  classes,
})

test('margins keep their order, get within those of unseen samples, and no other logit changes', () => {
  fc.assert(
    fc.property(set, set, (one, two) => {
      const [forget, unseen] = [logitsOf(one), logitsOf(two)]
      const values = unseenMargins(forget, unseen)
      const [before, after] = [margins(forget), margins({ ...forget, values })]
      const goal = margins(unseen).sort()
      after.forEach((phi, i) => {
        expect(phi).toBeGreaterThan((goal[0] ?? NaN) - 1e-3)
        expect(phi).toBeLessThan((goal.at(-1) ?? NaN) + 1e-3)
        after.forEach((other, k) => {
          if ((before[i] ?? 0) < (before[k] ?? 0)) expect(phi).toBeLessThan(other + 1e-3)
        })
        for (let c = 0; c < classes; c++)
          if (c !== forget.labels[i]) expect(values[i * classes + c]).toBe(forget.values[i * classes + c])
      })
    }),
  )
})

test('as many samples get the margins of the unseen ones, whatever their order', () => {
  fc.assert(
    fc.property(
      set.chain((one) =>
        fc.tuple(
          fc.constant(one),
          fc.array(fc.tuple(fc.array(logit, { minLength: 3, maxLength: 3 }), fc.nat(2)), {
            minLength: one.length,
            maxLength: one.length,
          }),
        ),
      ),
      ([one, two]) => {
        const forget = logitsOf(one)
        const goal = margins(logitsOf(two)).sort()
        const after = margins({ ...forget, values: unseenMargins(forget, logitsOf(two)) }).sort()
        after.forEach((phi, i) => {
          expect(Math.abs(phi - (goal[i] ?? NaN))).toBeLessThan(1e-3)
        })
      },
    ),
  )
})
