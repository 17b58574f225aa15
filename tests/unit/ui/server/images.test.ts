import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { readDataset } from '../../../../activities/runtime/blob-codecs.ts'
import { manifestOf } from '../../../../report/input.ts'
import { imageAnswer, pngOf } from '../../../../ui/server/answers/images.ts'
import { sampledRun, type SampledRun } from '../../../support/sampled-run.ts'

let sampled: SampledRun
beforeAll(async () => {
  sampled = await sampledRun()
})

test('a picture is a PNG of the pixels, whose largest value is white', async () => {
  const { artifacts, context, input, run } = sampled
  const answer = await imageAnswer(context, { run: run.id, image: '17.png' })
  if (!('bytes' in answer)) return expect.fail('the answer has no bytes')
  expect(answer.type).toBe('image/png')
  const { data, info } = await sharp(answer.bytes)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect([info.width, info.height, info.channels]).toEqual([8, 8, 1])
  const dataset = manifestOf<'dataset'>(input, run.plan.dataset) ?? expect.fail('no data set')
  const { images = new Uint8Array() } = await readDataset(artifacts, dataset)
  expect([...data]).toEqual(
    Array.from(images.subarray(17 * 64, 18 * 64), (pixel) => Math.min(255, Math.round((pixel * 255) / 16))),
  )
  expect(Math.max(...data)).toBe(255)
})

test.each(['17', '17.jpg', '1797.png', '-1.png', '../run.json', '.png'])(
  'there is no picture %s',
  async (image) => {
    const { context, run } = sampled
    await expect(imageAnswer(context, { run: run.id, image })).rejects.toMatchObject({
      status: 404,
      failure: { error: `the data have no picture ${image}` },
    })
  },
)

test('a picture in colours keeps its channels, and one of two channels shows the first in grey', async () => {
  const decoded = async (shape: readonly [number, number, number], pixels: readonly number[]) => {
    const bytes = await pngOf(Uint8Array.from(pixels), { shape, white: 16 })
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
    return { size: [info.width, info.height], data: [...data], channels: info.channels }
  }
  expect(await decoded([1, 2, 3], [16, 0, 8, 0, 4, 16])).toEqual({
    size: [2, 1],
    data: [255, 0, 128, 0, 64, 255],
    channels: 3,
  })
  const grey = await decoded([2, 1, 2], [16, 3, 8, 3])
  expect(grey.size).toEqual([1, 2])
  expect(grey.data.filter((_, i) => i % grey.channels === 0)).toEqual([255, 128])
})
