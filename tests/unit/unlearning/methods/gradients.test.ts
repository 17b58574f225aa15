import { beforeAll, describe, expect, test } from 'vitest'
import type { CurvePoint } from '../../../../experiment/records/measured.ts'
import type { BuiltInMethodName } from '../../../../experiment/spec/methods.ts'
import { layersOf } from '../../../../experiment/models/model.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import type { Weights } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import { loadMethod } from '../../../../unlearning/method.ts'
import { context, deviceData, methodSpec, trainOriginal } from '../../../support/toy.ts'

/**
 * Each step of plain SGD changes the parameters by −rate · gradient and reports the loss. A
 * method's gradient can therefore be compared with finite differences of its loss from outside. A
 * snapshot sets the parameters at which the run begins.
 */
const layers = layersOf(modelSchema.parse({ name: 'mlp', hidden: [5] }), [6, 6, 1], 4)
let original: Weights
beforeAll(async () => {
  const data = deviceData()
  original = await trainOriginal(layers, data)
  data.dispose()
})

const sgd = { name: 'sgd', learningRate: 0.02, momentum: 0 }
const batches = { batchSize: 32, optimizer: sgd }
type Case = readonly [method: BuiltInMethodName, options: Record<string, unknown>, step: number]
const cases: readonly Case[] = [
  ['neggrad-plus', { alpha: 0.7, ...batches }, 1],
  ['l1-sparse', { alpha: 0.01, ...batches }, 1],
  ['bad-teacher', { temperature: 2, ...batches }, 1],
  // Three steps on D_f, then nine on D_r, and again.
  ['scrub', { forgetBatch: 32, ...batches }, 13],
  ['scrub', { forgetBatch: 32, alpha: 0.5, ...batches }, 7],
  ['boundary-shrink', batches, 1],
  ['boundary-expand', batches, 1],
  // Steps 0 to 12 impair, and 13 to 21 repair.
  ['unsir', { noiseBatches: 4, ...batches }, 1],
  ['unsir', { noiseBatches: 4, ...batches }, 14],
]

class Enough extends Error {}

/** Runs a method from a snapshot until `steps` steps are done, and gives the snapshot of there. */
async function runTo(steps: number, [name, options]: Case, from?: Snapshot): Promise<Snapshot> {
  const run = (await loadMethod(name)) as (spec: unknown, context: unknown) => Promise<unknown>
  const data = deviceData()
  let last: Snapshot | undefined
  const host: Host = {
    ...(from ? { snapshot: from } : {}),
    async step({ step }, take) {
      if (step !== steps) return
      last = await take?.()
      throw new Enough()
    },
  }
  try {
    await run(methodSpec({ method: name, ...options }), { ...context(layers, original, data), host })
  } catch (error) {
    if (!(error instanceof Enough)) throw error
  }
  data.dispose()
  if (!last) throw new Error(`the run ended before step ${steps}`)
  return last
}

describe('the gradient of a step is that of the loss it reports', () => {
  test.each(cases)('%s %j, step %i', async (...method) => {
    const step = method[2]
    const start = await runTo(step, method)
    const theta = start.vectors.parameters ?? new Float32Array()
    const at = async (parameters: Float32Array) => {
      const { vectors, notes } = await runTo(step + 1, method, {
        ...start,
        vectors: { ...start.vectors, parameters },
      })
      const { loss, learningRate = NaN } = (notes.curve as readonly CurvePoint[]).at(-1) as CurvePoint
      const after = vectors.parameters ?? new Float32Array()
      return { loss, gradient: after.map((value, i) => ((parameters[i] ?? NaN) - value) / learningRate) }
    }
    const { gradient } = await at(theta)
    const norm = Math.hypot(...gradient)
    expect(norm).toBeGreaterThan(1e-2)

    const random = stream(1, 'directions')
    const directions = [gradient, ...[1, 2, 3].map(() => theta.map(() => random.normal()))]
    for (const direction of directions) {
      const length = Math.hypot(...direction)
      const unit = direction.map((value) => value / length)
      const slope = unit.reduce((sum, value, i) => sum + value * (gradient[i] ?? NaN), 0)
      const moved = (by: number) => at(theta.map((value, i) => value + by * (unit[i] ?? NaN)))
      const h = 2e-3
      const [ahead, behind] = [await moved(h), await moved(-h)]
      // Losses are float32 values, which are exact to about 1e-7 of their size. Their difference is
      // divided by 2h.
      const tolerance = 0.01 * norm + (5e-7 * Math.max(1, Math.abs(ahead.loss))) / h
      expect(Math.abs((ahead.loss - behind.loss) / (2 * h) - slope)).toBeLessThan(tolerance)
    }
  })
})
