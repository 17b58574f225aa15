import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  isNotUnlearned,
  methodSchemas,
  type BuiltInMethodName,
  type MethodSpecOf,
} from '../../../../experiment/spec/methods.ts'
import { methodFacts } from '../../../../experiment/spec/method-facts.ts'
import type { DeviceData } from '../../../../learning/data/device-data.ts'
import { seenByMethod, type SampleSets } from '../../../../report/samples-seen.ts'
import { loadMethod } from '../../../../unlearning/method.ts'
import {
  context,
  deviceData,
  forget,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
  training,
} from '../../../support/toy.ts'

const sets: SampleSets = {
  retained: retained.length,
  forget: forget.length,
  classes: 4,
  forgottenClasses: 1,
}

/** Options that make a method short, with batches that do not divide the sets. */
const options: Readonly<Partial<Record<BuiltInMethodName, object>>> = {
  finetune: { batchSize: 37 },
  'random-label': {},
  scrub: { epochs: 2, maxEpochs: 1, batchSize: 37, forgetBatch: 512 },
  unsir: { batchSize: 16, noiseSteps: 3, noiseBatches: 2, retainedPerClass: 50 },
  fisher: { samples: 20, batchSize: 8 },
  influence: { samples: 30 },
  'sfr-on': { iterations: 5, every: 2, batchSize: 37 },
  ssd: { batchSize: 48 },
}

const rfa = (extra: object) =>
  methodSpec({ method: 'rfa', steps: 3, retainedSamples: 290, layers: ['head'], rank: 1, ...extra })

let data: DeviceData
beforeAll(() => {
  data = deviceData()
})
afterAll(() => {
  data.dispose()
})

/** Runs a method on the toy. Returns what it recorded and the number of images that it read. */
async function run(method: MethodSpecOf<BuiltInMethodName>) {
  let images = 0
  const counting = new Proxy(data, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      if (property !== 'images') return value.bind(target) as unknown
      return (indices: Int32Array, ...others: unknown[]) => {
        images += indices.length
        return (value as (...all: unknown[]) => unknown).call(target, indices, ...others)
      }
    },
  })
  const unlearn = await loadMethod<BuiltInMethodName>(method.method)
  const { metrics } = await unlearn(method, context(toyModels.cnn, trainedOriginal('cnn'), counting))
  const { samplesUsed, steps } = metrics
  return { images, samplesUsed, seen: seenByMethod({ method, training }, metrics, sets), steps }
}

const names = methodSchemas
  .map((schema) => schema.shape.method.value)
  // The exact methods have tests of their own, which compare their samples.
  .filter((name) => !isNotUnlearned(name) && name !== 'replay' && name !== 'sisa')

/** The sets that a method used samples of, as the table of methods lists them. */
const used = ({ retained, forget }: { readonly retained: number; readonly forget: number }) => [
  ...(retained > 0 ? ['retained'] : []),
  ...(forget > 0 ? ['forget'] : []),
]

describe('the samples that a method sees', () => {
  test.each(names.filter((name) => !['rfa', 'amun', 'unsir', 'fisher', 'damp'].includes(name)))(
    'are the images that %s reads, whose gradients it takes',
    async (name) => {
      const schema = methodSchemas.find(({ shape }) => shape.method.value === name)
      const epochs = schema && 'epochs' in schema.shape ? { epochs: 1 } : {}
      const method = methodSpec({
        method: name,
        ...epochs,
        ...options[name],
      }) as MethodSpecOf<BuiltInMethodName>
      const { images, seen, samplesUsed } = await run(method)
      expect(images).toBeGreaterThan(0)
      expect(used(samplesUsed)).toEqual(methodFacts[name].reads)
      expect(seen).toEqual({ value: images })
    },
  )

  test('of fisher are one for each class, although it reads every image once', async () => {
    const { images, seen } = await run(methodSpec({ method: 'fisher', ...options.fisher }))
    expect(seen).toEqual({ value: 20 * 4 })
    expect(images).toBe(20)
  })

  test('of unsir include its noise', async () => {
    const { seen, steps } = await run(methodSpec({ method: 'unsir', ...options.unsir }))
    expect(seen).toEqual({ value: 16 * steps + 3 * 16 })
  })

  test('of amun are not known', async () => {
    const method = methodSpec({ method: 'amun', epochs: 1, epsilon: 1, attackSteps: 2 })
    expect((await run(method)).seen).toEqual({
      missing: 'the steps of its search for adversarial examples are not recorded',
    })
  })

  test.each([
    ['its steps', {}, 3 * (64 + 192)],
    ['no step of a closed form', { start: 'closed-form', steps: 0 }, 0],
    ['the epochs of a refit', { target: 'unseen-margin', refitEpochs: 1.5 }, 3 * (64 + 192) + 3 * 128],
    ['the refit of the head', { target: 'leave-out' }, 3 * (64 + 192) + 300 * 290],
    [
      'its top alone, in batches of the training',
      { target: 'leave-out-top', start: 'closed-form', steps: 0, refitEpochs: 2 },
      2 * 9 * 32,
    ],
  ])('of rfa are those of %s', async (_, extra, expected) => {
    expect((await run(rfa(extra))).seen).toEqual({ value: expected })
  })
})
