import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { dampened, unlearn } from '../../../../unlearning/methods/ssd.ts'
import { context, deviceData, methodSpec, toyModels, trainedOriginal } from '../../../support/toy.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')

async function ssd(options: Record<string, unknown>): Promise<Float32Array> {
  const data = deviceData()
  const spec = methodSpec({ method: 'ssd', batchSize: 50, ...options })
  const { weights } = await unlearn(spec, context(layers, original, data))
  data.dispose()
  return weights.trained
}

test('without an upper end to α nothing is selected and nothing changes', async () => {
  expect(await ssd({ alpha: 1e30 })).toEqual(original.trained)
})

test('a larger α leaves more parameters alone; a smaller λ dampens them more', async () => {
  const changed = (theta: Float32Array) => theta.filter((value, i) => value !== original.trained[i]).length
  const [some, fewer] = [await ssd({ alpha: 1 }), await ssd({ alpha: 2 })]
  expect(changed(fewer)).toBeLessThan(changed(some))
  expect(changed(fewer)).toBeGreaterThan(0)
  const norm = (theta: Float32Array) => Math.hypot(...theta)
  expect(norm(await ssd({ alpha: 1, lambda: 0.1 }))).toBeLessThan(norm(some))
})

test('a parameter is dampened as the equation says, and never grows or changes its sign', () => {
  const importance = fc.oneof(fc.constant(0), fc.float({ min: Math.fround(1e-6), max: 100, noNaN: true }))
  const parameter = fc.record({
    theta: fc.integer({ min: -1000, max: 1000 }).map((value) => Math.fround(value / 100)),
    onForget: importance,
    onAll: importance,
  })
  const options = fc.record({
    alpha: fc.double({ min: 0.01, max: 20, noNaN: true }),
    lambda: fc.double({ min: 0.01, max: 20, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.array(parameter, { minLength: 1, maxLength: 20 }), options, (parameters, method) => {
      const result = tf.tidy(() => {
        const [theta, onForget, onAll] = (['theta', 'onForget', 'onAll'] as const).map((key) =>
          tf.tensor1d(parameters.map((each) => each[key])),
        ) as [ReturnType<typeof tf.tensor1d>, ReturnType<typeof tf.tensor1d>, ReturnType<typeof tf.tensor1d>]
        return dampened(theta, onForget, onAll, method).dataSync()
      })
      parameters.forEach(({ theta, onForget, onAll }, i) => {
        const after = result[i] ?? NaN
        const bound = method.alpha * onAll
        // Where float32 and float64 may choose differently, either is right.
        if (Math.abs(onForget - bound) <= 1e-5 * bound) return
        const factor = onForget > bound ? Math.min((method.lambda * onAll) / onForget, 1) : 1
        expect(Math.abs(after - factor * theta)).toBeLessThanOrEqual(1e-5 * Math.abs(theta))
      })
    }),
  )
})
