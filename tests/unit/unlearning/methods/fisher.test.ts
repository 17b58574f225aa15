import { expect, test } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { unlearn } from '../../../../unlearning/methods/fisher.ts'
import { context, methodSpec } from '../../../support/toy.ts'
import {
  gradientOf,
  linearData,
  linearLayers,
  linearWeights,
  probabilities,
  samples,
} from '../../../support/linear.ts'

const retained = Int32Array.of(0, 2, 3, 5)
const forget = Int32Array.of(1, 4)
const size = linearWeights.trained.length

async function fisher(options: Record<string, unknown>): Promise<Float32Array> {
  const data = linearData()
  const spec = methodSpec({ method: 'fisher', ...options })
  const { weights } = await unlearn(spec, { ...context(linearLayers, linearWeights, data), retained, forget })
  data.dispose()
  return weights.trained
}

/** E_{D_r} Σ_y p_y (∇ log p_y)², with gradients by hand. */
const information = Array.from({ length: size }, (_, i) => {
  const terms = [...retained].flatMap((n) => {
    const { x } = samples[n] as (typeof samples)[number]
    return probabilities(x).map((p, y) => p * (gradientOf(x, y)[i] ?? NaN) ** 2)
  })
  return terms.reduce((sum, term) => sum + term, 0) / retained.length
})

test.each([
  { alpha: 0.01, power: 1, ceiling: 1e6 },
  { alpha: 0.1, power: 0.5, ceiling: 1e6 },
  { alpha: 0.01, power: 1, ceiling: 5 },
])('the noise has the variance α·min(F^−p, c): %o', async ({ alpha, power, ceiling }) => {
  const theta = await fisher({ alpha, power, ceiling })
  const random = stream(1, 'fisher', 'noise')
  for (let i = 0; i < size; i++) {
    const deviation = Math.sqrt(alpha * Math.min((information[i] ?? NaN) ** -power, ceiling))
    const expected = (linearWeights.trained[i] ?? NaN) + deviation * random.normal()
    expect(Math.abs((theta[i] ?? NaN) - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)))
  }
})

test('the forget set is never read', async () => {
  const data = linearData()
  const spec = methodSpec({ method: 'fisher', alpha: 0.01 })
  const given = { ...context(linearLayers, linearWeights, data), retained }
  const one = await unlearn(spec, { ...given, forget })
  expect(await unlearn(spec, { ...given, forget: Int32Array.of() })).toEqual(one)
  expect(one.metrics.samplesUsed).toEqual({ retained: 4, forget: 0 })
  data.dispose()
})

test('no more retained samples are used than asked for', async () => {
  expect(await fisher({ alpha: 0.01, samples: 2 })).not.toEqual(await fisher({ alpha: 0.01 }))
})
