import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { probeSamples } from '../../../../unlearning/probes/samples.ts'

const arbitrary = fc.record({
  labels: fc.array(fc.nat(4), { minLength: 2, maxLength: 80 }).map((labels) => Int32Array.from(labels)),
  share: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
  count: fc.integer({ min: 4, max: 60 }),
  seed: fc.nat(100),
})

describe('the samples of probes', () => {
  it('train on one half of D_f, class by class, and test on the other; never on the same sample', () => {
    fc.assert(
      fc.property(arbitrary, ({ labels, share, count, seed }) => {
        const cut = Math.max(1, Math.floor(share * labels.length))
        const all = Int32Array.from(labels.keys())
        const [forget, retained] = [all.subarray(0, cut), all.subarray(cut)]
        const drawn = probeSamples({ retained, forget }, labels, count, stream(seed, 'test'))

        expect(new Set(drawn.forget).size).toBe(Math.min(count, cut))
        expect(drawn.retained).toHaveLength(Math.min(drawn.forget.length, retained.length))
        const trained = new Set(drawn.train)
        expect(trained.size).toBe(drawn.train.length)
        for (const sample of drawn.test) expect(trained).not.toContain(sample)
        const ownTrain = drawn.train.filter((sample) => sample < cut)
        expect([...ownTrain, ...drawn.test].sort((a, b) => a - b)).toEqual(
          [...drawn.forget].sort((a, b) => a - b),
        )

        const of = (samples: Int32Array, c: number) => samples.filter((i) => labels[i] === c).length
        for (let c = 0; c < 5; c++) {
          const surplus = of(ownTrain, c) - of(drawn.test, c)
          expect(surplus === 0 || surplus === 1).toBe(true)
          const others = of(drawn.train, c) - of(ownTrain, c)
          expect(others).toBe(Math.min(Math.floor(count / 2), of(retained, c)))
        }
      }),
    )
  })
})
