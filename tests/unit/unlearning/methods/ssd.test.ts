import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { adaptiveAlpha, dampened, unlearn } from '../../../../unlearning/methods/ssd.ts'
import {
  context,
  deviceData,
  forget,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'
import { batchesOf, gradientAt } from '../../../../unlearning/methods/shared/gradients.ts'
import { checkProblems, edited } from '../../experiment/sample.ts'

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

describe('alpha: adaptive', () => {
  test('is the percentile 100 − ln(1 + 100 · share) of the finite ratios, as NumPy interpolates it', () => {
    const ratios = Float32Array.from({ length: 102 }, (_, i) => (37 * i) % 101)
    ratios[0] = Infinity
    ratios[101] = NaN
    // The finite ones are 1 to 100: np.percentile([1, …, 100], 100 - np.log(11)) = 97.62612…
    expect(adaptiveAlpha(ratios, 0.1)).toBeCloseTo(97.62612, 4)
    expect(adaptiveAlpha(ratios, 0)).toBe(100)
    expect(adaptiveAlpha(Float32Array.of(NaN), 0.1)).toBe(Infinity)
  })

  test('with importance: retained, dampens what is above this percentile of I_f / I_r', async () => {
    const data = deviceData()
    const gradient = gradientAt(layers, original, data)
    const importance = (indices: Int32Array) => {
      const squares = batchesOf(indices, 50).map((batch) => gradient(batch).square())
      return tf.addN(squares).div(squares.length)
    }
    const [ofForget, ofRetained] = [importance(forget), importance(retained)]
    const ratios = (await ofForget.div(ofRetained).data()) as Float32Array
    data.dispose()
    const alpha = adaptiveAlpha(ratios, forget.length / (forget.length + retained.length))

    const theta = await ssd({ alpha: 'adaptive', importance: 'retained' })
    const changed = original.trained.map((value, i) => Number(value !== theta[i]))
    expect(changed).toEqual(ratios.map((ratio, i) => Number(ratio > alpha && original.trained[i] !== 0)))
    const share = changed.reduce((sum, value) => sum + value, 0) / changed.length
    // ln(1 + 100 · 0.25) percent, and the parameters that matter to D_f alone.
    expect(share).toBeGreaterThan(0.03)
    expect(share).toBeLessThan(0.04)
  })
})

test('importance: retained selects more than importance: all at the same α', async () => {
  const changed = (theta: Float32Array) => theta.filter((value, i) => value !== original.trained[i]).length
  const [retainedAlone, all] = [await ssd({ alpha: 3, importance: 'retained' }), await ssd({ alpha: 3 })]
  expect(changed(retainedAlone)).toBeGreaterThan(changed(all))
})

describe('an α that can select nothing is refused before anything is computed', () => {
  // The digits have 1,797 samples, of which 30% are test samples, and 183 are of class 3.
  const config = (method: string, split = 'kind: class\n  classes: [3]') =>
    edited('- method: original', `- ${method}`).replace('kind: class\n  classes: [3]', () => split)

  test.each([
    [
      'whole classes',
      '{ method: ssd }',
      undefined,
      '128 forgotten ones, so no parameter is more than 9.8 times',
    ],
    [
      'a random tenth',
      '{ method: ssd }',
      'kind: random\n  fraction: 0.1',
      '126 forgotten ones, so no parameter is more than 10.0 times',
    ],
    [
      'indices',
      '{ method: ssd, alpha: 600 }',
      'kind: indices\n  indices: [1, 2, 3]',
      '3 forgotten ones, so no parameter is more than 419.3 times',
    ],
  ])('%s', (_, method, split, message) => {
    const [problem, ...others] = checkProblems(config(method, split))
    expect(problem?.path).toBe('methods[0].alpha')
    expect(problem?.message).toContain(message)
    expect(problem?.message).toContain('set alpha: adaptive and importance: retained')
    expect(others).toEqual([])
  })

  test.each([
    '{ method: ssd, alpha: 9 }',
    '{ method: ssd, importance: retained }',
    '{ method: ssd, alpha: adaptive }',
    '{ method: ssd, alpha: adaptive, importance: retained }',
  ])('%s is accepted', (method) => {
    expect(checkProblems(config(method))).toEqual([])
  })
})
