import { expect, test } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { ckaRow, prepared } from '../../../../unlearning/probes/cka-matrix.ts'
import { linearCka } from '../../../../unlearning/probes/linear-cka.ts'

const random = stream(1, 'cka')
const features = (width: number) =>
  tf.tensor2d(Array.from({ length: 30 }, () => Array.from({ length: width }, () => random.normal())))

test('each CKA of a row is that of the two layers alone, and leaves no tensors', async () => {
  const [own, ...golds] = [features(4), features(7), features(3)]
  const before = tf.memory().numTensors
  const [first, ...others] = await Promise.all([own, ...golds].map(prepared))
  if (!first) throw new Error('there are three layers')
  const row = await ckaRow(first, [first, ...others])
  const expected = [own, ...golds].map((gold) => linearCka(own, gold))
  for (const [i, one] of (await Promise.all(expected)).entries()) {
    if (!('value' in one)) throw new Error('random features have a CKA')
    expect(row[i]).toEqual({ value: expect.closeTo(one.value, 5) as number })
  }
  expect(row[0]).toEqual({ value: expect.closeTo(1, 5) as number })
  for (const one of [first, ...others]) if (!('missing' in one)) tf.dispose([one.features, one.norm])
  expect(tf.memory().numTensors).toBe(before)
})

test('features that are constant or not finite have a reason on either side', async () => {
  const good = await prepared(features(4))
  const constant = await prepared(tf.ones([30, 2]))
  const broken = await prepared(tf.tensor2d(Array.from({ length: 30 }, () => [NaN, NaN])))
  expect(await ckaRow(good, [constant, good, broken])).toEqual([
    { missing: 'gold: the features are constant' },
    { value: expect.closeTo(1, 5) as number },
    { missing: 'gold: the features are not finite' },
  ])
  expect(await ckaRow(constant, [good])).toEqual([{ missing: 'the features are constant' }])
  expect(await ckaRow(good, [constant])).toEqual([{ missing: 'gold: the features are constant' }])
})
