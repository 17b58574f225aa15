import fc from 'fast-check'
import { expect } from 'vitest'
import { UserError } from '../../../../common/errors.ts'
import { crossEntropy } from '../../../../learning/training/losses.ts'
import { forward } from '../../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs } from '../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { learnNoise, unlearn } from '../../../../unlearning/methods/unsir.ts'
import { test } from '../../../support/device-data.ts'
import {
  accuracyOn,
  all,
  context,
  deviceData,
  forget,
  labels,
  methodSpec,
  pictures,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'
import { checkProblems, edited } from '../../experiment/sample.ts'

const layers = toyModels.resnet
const original = trainedOriginal('resnet')

const options = { method: 'unsir' as const, batchSize: 32, noiseBatches: 4 }

test("the noise of each class raises the original's loss on it, and its penalty keeps it small", async ({
  data,
}) => {
  const classes = [1, 2]
  const figures = async (noiseSteps: number, noiseRate: number, noisePenalty: number) => {
    const spec = methodSpec({ ...options, noiseSteps, noiseRate, noisePenalty })
    const noise = await learnNoise(spec, context(layers, original, data), classes)
    expect(noise.shape).toEqual([64, 6, 6, 1])
    return tf.tidy(() => {
      const { output } = forward(layers, parametersOf(layers, original), noise)
      const loss = classes.map(
        (k, i) =>
          crossEntropy(output.slice([32 * i, 0], [32, -1]), tf.fill([32], k, 'int32')).dataSync()[0] ?? NaN,
      )
      return { loss, size: noise.square().mean().dataSync()[0] ?? NaN }
    })
  }
  const drawn = await figures(1, 1e-12, 0)
  const free = await figures(40, 0.1, 0)
  const penalised = await figures(40, 0.1, 0.1)
  classes.forEach((_, i) => {
    expect(free.loss[i]).toBeGreaterThan(2 * (drawn.loss[i] ?? NaN))
    expect(penalised.loss[i]).toBeGreaterThan(drawn.loss[i] ?? NaN)
  })
  expect(penalised.size).toBeLessThan(0.5 * free.size)
})

test('forgets the class', async ({ data }) => {
  const { weights } = await unlearn(methodSpec(options), context(layers, original, data))
  expect(await accuracyOn(forget, layers, weights, data)).toBeLessThan(50)
  expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(85)
})

test('repairing has its own learning rate, from its first step on', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 20, max: 200 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 2 }),
      async (batchSize, noiseBatches, impairEpochs) => {
        const data = deviceData()
        const spec = methodSpec({ ...options, batchSize, noiseBatches, impairEpochs, noiseSteps: 1 })
        const cnn = toyModels.cnn
        const weights = initialWeights(parameterSpecs(cnn), stream(1, 'weights'))
        const { metrics } = await unlearn(spec, context(cnn, weights, data))
        data.dispose()
        const impairSteps = impairEpochs * Math.floor((300 + noiseBatches * batchSize) / batchSize)
        const repairSteps = Math.floor(300 / batchSize)
        expect(metrics.curve.map(({ learningRate }) => learningRate)).toEqual([
          ...Array.from({ length: impairSteps }, () => 0.02),
          ...Array.from({ length: repairSteps }, () => 0.01),
        ])
      },
    ),
    { numRuns: 10 },
  )
})

test('never reads D_f, and no more of D_r than asked for', async () => {
  const images = pictures()
  for (const i of forget) images.fill(0, 36 * i, 36 * (i + 1))
  const [data, blanked] = [deviceData(), deviceData(images)]
  const spec = methodSpec({ ...options, retainedPerClass: 40 })
  const expected = await unlearn(spec, context(layers, original, data))
  expect(expected.metrics.samplesUsed).toEqual({ retained: 120, forget: 0 })
  expect(await unlearn(spec, context(layers, original, blanked))).toEqual(expected)
  data.dispose()
  blanked.dispose()
})

test('a split that forgets part of a class is refused, in the config and by the method', async ({ data }) => {
  const config = edited('- method: original', '- method: unsir')
  expect(checkProblems(config)).toEqual([])
  const random = config.replace('kind: class\n  classes: [3]', 'kind: random\n  fraction: 0.1')
  expect(checkProblems(random)).toMatchObject([
    {
      path: 'methods[0].method',
      message:
        'unsir learns noise for whole classes, and the split is of kind "random"; split by class, or leave unsir out',
    },
  ])

  const some = all.filter((i) => labels[i] === 2 && i % 8 === 2)
  const rest = all.filter((i) => !some.includes(i))
  const run = unlearn(methodSpec(options), {
    ...context(layers, original, data),
    forget: some,
    retained: rest,
  })
  await expect(run).rejects.toThrow(UserError)
  await expect(run).rejects.toThrow(
    'retained set has samples of 1 of the 1 classes in the forget set (of class 2',
  )
  expect(retained.length + forget.length).toBe(all.length)
})
