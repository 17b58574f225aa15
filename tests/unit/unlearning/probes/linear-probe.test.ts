import type { Rank, Tensor2D } from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { probeAccuracy, type Labelled } from '../../../../unlearning/probes/linear-probe.ts'
import { normal } from '../../../support/tensors.ts'
import { expectClose, reference, valueOf } from '../evaluated-models.ts'

interface Plain {
  readonly features: { readonly values: number[]; readonly shape: [number, number] }
  readonly labels: number[]
}

const { probes: vectors } = reference('features.json') as {
  probes: { name: string; train: Plain; test: Plain; accuracy: number | null }[]
}
const labelled = ({ features: { values, shape }, labels }: Plain): Labelled => ({
  features: tf.tensor2d(values, shape),
  labels: Int32Array.from(labels),
})
const blobs = (n: number, classes: number, seed: number, apart: number): Labelled => {
  const labels = Int32Array.from({ length: n }, (_, i) => i % classes)
  const centres = tf.oneHot(tf.tensor1d(labels, 'int32'), classes).toFloat().mul(apart)
  return { features: normal([n, classes], seed).add<Tensor2D>(centres), labels }
}

describe('a linear probe', () => {
  // A sample on the border may fall to either side in float32: none of these does.
  it.each(vectors)("against scikit-learn's RidgeClassifier: $name", async ({ train, test, accuracy }) => {
    const before = tf.memory().numTensors
    const [a, b] = [labelled(train), labelled(test)]
    const found = await probeAccuracy(a, b)
    if (accuracy === null) expect(found).toHaveProperty('missing')
    else expectClose(valueOf(found), accuracy)
    tf.dispose([a.features, b.features])
    expect(tf.memory().numTensors).toBe(before)
  })

  it('recognises classes that lie apart, and is at chance where features say nothing', async () => {
    expect(await probeAccuracy(blobs(300, 3, 1, 20), blobs(90, 3, 2, 20))).toEqual({ value: 100 })
    const lost = valueOf(await probeAccuracy(blobs(600, 3, 1, 0), blobs(600, 3, 2, 0)))
    expect(Math.abs(lost - 100 / 3)).toBeLessThan(8)
  })

  it('weighs classes alike: a rare one is not given up', async () => {
    const { features, labels } = blobs(600, 2, 1, 2)
    const kept = [...labels.keys()].filter((i) => labels[i] === 0 || i < 20)
    const uneven = { features: tf.gather(features, kept), labels: labels.filter((_, i) => kept.includes(i)) }
    const test = blobs(400, 2, 2, 2)
    const rare = [...test.labels.keys()].filter((i) => test.labels[i] === 1)
    const only = { features: tf.gather(test.features, rare), labels: Int32Array.from(rare, () => 1) }
    expect(valueOf(await probeAccuracy(uneven, only))).toBeGreaterThan(75)
  })

  it('does not care how features are scaled and shifted', async () => {
    const [train, test] = [blobs(200, 4, 1, 2), blobs(200, 4, 2, 2)]
    const moved = ({ features, labels }: Labelled): Labelled => ({
      features: features.mul([1, 1e3, 1e-3, 5]).add<Tensor2D>([0, 1e4, 0, -3]),
      labels,
    })
    expect(await probeAccuracy(moved(train), moved(test))).toEqual(await probeAccuracy(train, test))
  })

  it.each([
    [
      'one class',
      { ...blobs(9, 3, 1, 1), labels: new Int32Array(9) },
      'a probe needs samples of two classes',
    ],
    [
      'constant features',
      { ...blobs(9, 3, 1, 1), features: tf.fill([9, 3], 0.1) },
      'the features are constant',
    ],
    ['overflow', { ...blobs(9, 3, 1, 1), features: tf.fill([9, 3], NaN) }, 'the features are not finite'],
  ])('is missing, never 0, for %s', async (_, train, missing) => {
    expect(await probeAccuracy(train as Labelled, blobs(9, 3, 2, 1))).toEqual({ missing })
  })

  it('is missing where nothing is left to test it on', async () => {
    const none = { features: tf.zeros<Rank.R2>([0, 0]), labels: new Int32Array() }
    expect(await probeAccuracy(blobs(9, 3, 1, 1), none)).toEqual({
      missing: 'no forget samples are left to test the probe on',
    })
  })
})
