import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { smallConfig } from '../../../support/command.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
})
const inspect = (...args: readonly string[]) => zeroshiftHere(directory, 'data', 'inspect', ...args)
interface Answer {
  readonly classes: readonly { readonly train: number; readonly validation: number; readonly test: number }[]
  readonly problems: readonly string[]
  readonly samples?: readonly { readonly set: string; readonly class: number; readonly name?: string }[]
}
async function answerOf(...args: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await inspect(...args, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Answer
}

test('classes, sets, sizes and problems of a shipped data set', async () => {
  const { code, stdout } = await inspect('small.yaml')
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^digits: 1797 images of 8 × 8 pixels, 1 channel, bytes from 0 to 16, 10 classes\n\nINDEX {2}CLASS {2}TRAIN {2}VALIDATION {2}TEST\n/,
  )
  expect(stdout).toMatch(/^digits\.csv\.gz, 57\.5 kB$/m)
  expect(stdout).toMatch(/^No problems found\.$/m)
  const { classes, samples = [] } = await answerOf('small.yaml', '--names', '-S', 'data.validation=0.1')
  expect(samples).toHaveLength(1797)
  for (const set of ['train', 'validation', 'test'] as const)
    expect(classes.map((one) => one[set])).toEqual(
      classes.map((_, label) => samples.filter((one) => one.set === set && one.class === label).length),
    )
})

test('the picture has a row of samples for each class', async () => {
  expect((await inspect('small.yaml', '--images', 'pictures')).stdout).toMatch(
    /^Samples, one row for each class: pictures\/samples\.png$/m,
  )
  const { width, height } = await sharp(join(directory, 'pictures/samples.png')).metadata()
  expect({ width, height }).toEqual({ width: 10 * 34 - 2, height: 10 * 34 - 2 })
  const again = await inspect('small.yaml', '--images', 'pictures')
  expect(again).toMatchObject({
    code: 2,
    stderr: 'pictures is there already, and nothing is overwritten; name another with --images\n',
  })
})

/** An image whose pixels are all different from those of another shade. */
function picture(file: string, shade: number): Promise<unknown> {
  const bytes = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => (shade + i) % 256)
  return sharp(bytes, { raw: { width: 4, height: 4, channels: 3 } })
    .png()
    .toFile(join(directory, file))
}

test('names, copies, images of one colour and uneven classes of a folder', async () => {
  for (const folder of ['train/cat', 'train/dog', 'test/cat', 'test/dog'])
    mkdirSync(join(directory, 'data', folder), { recursive: true })
  for (let i = 0; i < 2; i++) await picture(`data/train/cat/${i}.png`, i)
  for (let i = 0; i < 21; i++) await picture(`data/train/dog/${String(i).padStart(2, '0')}.png`, 50 + i)
  await picture('data/test/cat/copy.png', 0)
  await picture('data/test/dog/other.png', 1)
  await sharp({ create: { width: 4, height: 4, channels: 3, background: 'black' } })
    .png()
    .toFile(join(directory, 'data/test/dog/black.png'))
  const data = '{ name: image-folder, from: data, size: [4, 4] }'
  const { problems, samples = [] } = await answerOf('small.yaml', '--names', '-S', `data=${data}`)
  expect(samples[0]).toEqual({ index: 0, set: 'train', class: 0, name: 'train/cat/0.png' })
  expect(samples.at(-2)).toMatchObject({ set: 'test', name: 'test/dog/black.png' })
  expect(problems).toEqual([
    'the classes are uneven: 2 to 21 training samples',
    'copies of earlier images: 2 (samples 0 and 23, 1 and 25)',
    'copies in another set: 2 (samples 0 and 23, 1 and 25)',
    'copies with another class: 1 (samples 1 and 25)',
    'images of one colour: 1 (samples 24)',
  ])
  expect((await inspect('small.yaml', '-S', `data=${data}`)).stdout).toMatch(
    /^Problem: the classes are uneven: 2 to 21 training samples$/m,
  )
})

test('a mistake in the data is refused with its place', async () => {
  const { code, stderr } = await inspect('small.yaml', '-S', 'data={ name: image-folder, from: nowhere }')
  expect(stderr).toMatch(/nowhere/)
  expect(code).toBe(2)
})
