import { existsSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkedResult, checkedScores } from '../../../activities/runtime/plugin-result.ts'
import { loadPlugin } from '../../../activities/runtime/plugin.ts'
import * as api from '../../../api/engine.ts'
import { keepBundle, keptBundle } from '../../../api/bundle-cache.ts'
import { apiNames } from '../../../api/names.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { uploadAttachments } from '../../../cli/launch/attachments.ts'
import { loadNamed } from '../../../cli/plugins/load.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { defineMethod } from '../../../unlearning/define-method.ts'
import { loadMethod } from '../../../unlearning/method.ts'
import { testDirectory } from '../../support/directories.ts'
import { copyOfDelete, scaledMargin, scaledMean, unchanged, writeFiles } from '../../support/plugins.ts'
import { accuracyOn, context, deviceData, methodSpec, toyModels, trainedOriginal } from '../../support/toy.ts'

let folder: string
beforeEach(() => {
  folder = testDirectory()
  vi.stubEnv('ZEROSHIFT_CACHE', join(folder, 'cache'))
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const layers = toyModels.cnn
const artifacts = () => openArtifacts(join(folder, 'store'))
/** A worker on the test's store. Unless told otherwise, it executes own plug-ins alone. */
const worker = (allowsPrograms = false) => ({ artifacts: artifacts(), allowsPrograms })

async function bundled(text: string) {
  return loadNamed(join(writeFiles(folder, { 'method.ts': text }), 'method.ts'))
}

test('a copy of a method as a plug-in computes the same bytes', async () => {
  const { numTensors } = tf.memory()
  const data = deviceData()
  try {
    const original = trainedOriginal('cnn')
    const own = await loadMethod('delete')
    const spec = methodSpec({ method: 'delete', epochs: 2, batchSize: 32 })
    const expected = await own(spec, context(layers, original, data))

    const { ref, options } = await bundled(copyOfDelete())
    const { name, unlearn } = await loadPlugin(worker(), 'method', ref)
    const given = options.parse({ epochs: 2, batchSize: 32 })
    const result = await unlearn(context(layers, original, data), given)
    expect(name).toBe('my-delete')
    expect(result).toEqual(expected)
    expect(result.weights.trained).not.toEqual(original.trained)
  } finally {
    data.dispose()
    expect(tf.memory().numTensors).toBe(numTensors)
  }
})

test('the example of the guide forgets', async () => {
  const guide = readFileSync(new URL('../../../docs/guides/your-method.md', import.meta.url), 'utf8')
  const [, source = ''] = /```ts\n(.*?)```/s.exec(guide) ?? []
  const data = deviceData()
  try {
    const original = trainedOriginal('cnn')
    const { ref, options } = await bundled(source)
    const { unlearn } = await loadPlugin(worker(), 'method', ref)
    const given = options.parse({ strength: 2, optimizer: { name: 'sgd', learningRate: 0.05 } })
    const toy = context(layers, original, data)
    const { weights } = checkedResult(ref.name, { layers }, await unlearn(toy, given))
    const before = await accuracyOn(toy.forget, layers, original, data)
    expect(await accuracyOn(toy.forget, layers, weights, data)).toBeLessThan(before)
  } finally {
    data.dispose()
  }
})

test('the examples of the guide to plug-ins can be loaded', async () => {
  const guide = readFileSync(new URL('../../../docs/guides/plug-ins.md', import.meta.url), 'utf8')
  const sources = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, source = '']) => source)
  const kinds = []
  for (const source of sources) kinds.push((await bundled(source)).kind)
  expect(kinds).toEqual(['score', 'target', 'reader', 'model'])
})

test('the names of the module zeroshift are listed', () => {
  expect([...apiNames].sort()).toEqual(Object.keys(api).sort())
})

test('a worker executes a bundle of elsewhere only if its operator allows that', async () => {
  const { ref } = await bundled(unchanged)
  await uploadAttachments(artifacts(), [ref])
  rmSync(join(folder, 'cache'), { recursive: true })
  const refusal = `this worker may not execute the plug-in unchanged (SHA-256 ${ref.sha256}): no config of its user has named it`
  await expect(loadPlugin(worker(), 'method', ref)).rejects.toThrow(refusal)
  expect(await loadPlugin(worker(true), 'method', ref)).toMatchObject({ name: 'unchanged' })
  expect(await keptBundle('bundled', ref.sha256)).toBeUndefined()

  // The fetched copy does not count as this user's own.
  await expect(loadPlugin(worker(), 'method', ref)).rejects.toThrow(refusal)
})

test('a bundle that neither the store nor this machine has is named', async () => {
  const { ref } = await bundled(unchanged)
  rmSync(join(folder, 'cache'), { recursive: true })
  await expect(uploadAttachments(artifacts(), [ref])).rejects.toThrow('is neither in the store')
  await expect(loadPlugin(worker(true), 'method', ref)).rejects.toThrow(
    'is not in the store; run the same command again',
  )
})

test('a shift target that copies a built-in one computes the same bytes', async () => {
  const { numTensors } = tf.memory()
  const data = deviceData()
  try {
    const original = trainedOriginal('cnn')
    const toy = context(layers, original, data)
    const rfa = await loadMethod('rfa')
    const rfaWith = (target: unknown) =>
      methodSpec({ method: 'rfa', target, steps: 3, layers: ['head'], forgetBatch: 8, retainedBatch: 16 })
    const expected = await rfa(rfaWith('retained-mean'), toy)

    const { ref, options } = await bundled(scaledMean)
    const { target } = await loadPlugin(worker(), 'target', ref)
    const given = options.parse({})
    const plugged = rfaWith({ plugin: ref, options: given })
    const result = await rfa(plugged, {
      ...toy,
      target: (material, random) => target(material, random, given),
    })
    expect(result).toEqual(expected)
    expect(result.weights.trained).not.toEqual(original.trained)
    await expect(rfa(plugged, toy)).rejects.toThrow('the target of the plug-in scaled-mean was not loaded')
  } finally {
    data.dispose()
    expect(tf.memory().numTensors).toBe(numTensors)
  }
})

test('a score computes one number for each sample, and a worker refuses another kind', async () => {
  const { ref, options } = await bundled(scaledMargin)
  const { score } = await loadPlugin(worker(), 'score', ref)
  const logits = {
    values: Float32Array.of(1, 3, 2, 0, 0, 5),
    labels: Int32Array.of(1, 0),
    classes: 3,
  }
  expect(checkedScores(ref.name, logits, score(logits, options.parse({ scale: 2 })))).toEqual(
    Float64Array.of(2, -10),
  )
  await expect(loadPlugin(worker(), 'method', ref)).rejects.toThrow('defines a score, expected a method')
})

test.each([
  ['a list', [1, 2], 'returned no Float64Array; return a Float64Array with one number for each sample'],
  ['too few numbers', Float64Array.of(1), 'returned 1 numbers for 2 samples'],
  ['a number that is none', Float64Array.of(1, NaN), 'not finite: that of sample 1 is NaN'],
])('a score that returns %s is refused', (_, scores, message) => {
  const logits = { values: new Float32Array(4), labels: new Int32Array(2), classes: 2 }
  expect(() => checkedScores('mine', logits, scores)).toThrow(message)
})

test('a bundle is removed once it was not used for 30 days', async () => {
  const { ref } = await bundled(unchanged)
  const { file = '' } = (await keptBundle('bundled', ref.sha256)) ?? {}
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000)
  utimesSync(file, daysAgo(31), daysAgo(31))
  // A use renews it.
  await keptBundle('bundled', ref.sha256)
  await keepBundle('bundled', new Uint8Array([1]))
  expect(existsSync(file)).toBe(true)
  utimesSync(file, daysAgo(29), daysAgo(29))
  await keepBundle('bundled', new Uint8Array([2]))
  expect(existsSync(file)).toBe(true)
  utimesSync(file, daysAgo(31), daysAgo(31))
  await keepBundle('bundled', new Uint8Array([3]))
  expect(existsSync(file)).toBe(false)
})

const metrics = { trainable: 1, steps: 1, samplesUsed: { retained: 1, forget: 1 }, curve: [] }
const weights = trainedOriginal('cnn')
const { trained, statistics } = weights

test.each([
  ['nothing', undefined, 'returned undefined; return { weights, metrics }'],
  ['no weights', { metrics }, 'returned no Float32Array as weights.trained'],
  [
    'a tensor',
    { weights: { trained: [...trained], statistics }, metrics },
    'no Float32Array as weights.trained',
  ],
  [
    'too few weights',
    { weights: { trained: trained.slice(1), statistics }, metrics },
    `returned ${trained.length - 1} numbers as weights.trained, where the model has ${trained.length}`,
  ],
  [
    'a weight that is no number',
    { weights: { trained: trained.map(() => NaN), statistics }, metrics },
    'weights.trained[0] is NaN',
  ],
  ['no metrics', { weights }, 'metrics that cannot be stored (metrics'],
  ['a metric that is no number', { weights, metrics: { ...metrics, steps: NaN } }, 'metrics.steps'],
  ['an unknown metric', { weights, metrics: { ...metrics, more: 1 } }, 'more'],
])('a plug-in that returns %s is refused', (_, result, message) => {
  expect(() => checkedResult('mine', { layers }, result)).toThrow(message)
})

test('the options that a method receives have the types of their schema', () => {
  const { z } = api
  const method = defineMethod({
    name: 'typed',
    about: 'compiles',
    options: z.strictObject({ rate: z.number().default(1) }),
    unlearn: ({ original }, { rate, ...rest }) => {
      // @ts-expect-error There is no such option.
      const missing: unknown = rest.missing
      return Promise.resolve({
        weights: original,
        metrics: { ...metrics, steps: rate + Number(missing ?? 0) },
      })
    },
  })
  // @ts-expect-error A method needs a schema of its options.
  expect(() => defineMethod({ name: 'x', about: 'y', unlearn: method.unlearn })).not.toThrow()
})
