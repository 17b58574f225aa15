import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { makeFolder } from '../../../common/make-folder.ts'
import { inspectCheckpoint } from '../../../pretrained/read.ts'
import { readPeft } from '../../../pretrained/read-peft.ts'
import { findReport } from '../../../cli/workspace/find-report.ts'
import { prepare } from '../../../cli/launch/prepare.ts'
import { readConfig } from '../../../cli/launch/read-config.ts'
import { readSweep } from '../../../cli/launch/prepare-sweep.ts'
import { UserError } from '../../../common/errors.ts'
import { secretOf } from '../../../common/secret.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { inspectDataset } from '../../../datasets/index.ts'
import { temporalSettings } from '../../../worker/temporal-settings.ts'
import { smallConfig } from '../../support/command.ts'
import { testDirectory } from '../../support/directories.ts'

/** All code that reads a file named by the user refuses at once a file that has no end. */

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

const strange: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  ['a FIFO', (path) => void spawnSync('mkfifo', [path]), /is a FIFO, expected a regular file/],
  ['/dev/zero', (path) => void symlinkSync('/dev/zero', path), /is a device, expected a regular file/],
  ['a link to itself', (path) => void symlinkSync(path, path), /symbolic link that leads back to itself/],
  ['a folder', (path) => void mkdirSync(path), /is a directory|no regular file|no folder of a class/],
]

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

function written(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

const data = (spec: object, files: Readonly<Record<string, Uint8Array>> = {}) => {
  for (const [name, content] of Object.entries(files)) written(join(directory, name), content)
  return inspectDataset(specSchema.shape.data.parse(spec), directory)
}

const readers: readonly (readonly [string, string, (path: string) => unknown])[] = [
  ['a config', 'one.yaml', (config) => readConfig({ config, overrides: [] })],
  ["a sweep's config", 'sweep.yaml', (config) => readSweep({ config, overrides: [] })],
  [
    'a file of indices',
    'forget.txt',
    async () => {
      const config = join(directory, 'base.yaml')
      writeFileSync(
        config,
        smallConfig.replace('{ kind: class, classes: [3] }', '{ kind: indices, file: forget.txt }'),
      )
      const asked = { config, overrides: [] }
      return prepare(asked, await readConfig(asked))
    },
  ],
  ['an npz file', 'data.npz', () => data({ name: 'npz', file: 'data.npz', test: 0.2 })],
  ['a CIFAR file', 'b.bin', () => data({ name: 'cifar10', train: ['b.bin'], test: ['t.bin'] })],
  ['a config of a checkpoint', 'config.json', () => inspectCheckpoint(directory)],
  [
    'weights',
    'model.safetensors',
    () => {
      writeFileSync(join(directory, 'config.json'), '{ "model_type": "vit" }')
      return inspectCheckpoint(directory)
    },
  ],
  ['an adapter', 'adapter_config.json', () => readPeft(directory)],
  [
    'the tensors of an adapter',
    'adapter_model.safetensors',
    () => {
      writeFileSync(join(directory, 'adapter_config.json'), '{ "peft_type": "LORA" }')
      return readPeft(directory)
    },
  ],
  ['a report', 'report.json', () => findReport(directory, {})],
  ['a secret', 'secret', (file) => secretOf('A', { A_FILE: file })],
  ['a certificate', 'ca.pem', (file) => temporalSettings('a:1', { ZEROSHIFT_TEMPORAL_TLS_CA_FILE: file })],
]

describe.each(readers)('%s', (_, name, read) => {
  test.each(strange)('that is %s is refused', async (_, make, message) => {
    const path = join(directory, name)
    make(path)
    const error: unknown = await Promise.resolve(path)
      .then(read)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
    expect(error).toBeInstanceOf(UserError)
    expect(String(error)).toMatch(message)
    expect(String(error)).toContain(name)
  })
})

test.each(strange.slice(0, 3))('an image that is %s is refused by name', async (_, make) => {
  for (const name of ['a/1.png', 'a/2.png', 'b/1.png']) written(join(directory, name), png)
  make(join(directory, 'b/2.png'))
  await expect(data({ name: 'image-folder', test: 0.5 })).rejects.toThrow(
    /b\/2\.png is no regular file, or a link that leads nowhere; expected class\/name\.png/,
  )
})

test('folders of parquet files that link to each other are listed once', async () => {
  for (const name of ['a', 'b']) mkdirSync(join(directory, name))
  for (const name of ['a', 'b']) {
    symlinkSync(join(directory, 'a'), join(directory, name, 'x'))
    symlinkSync(join(directory, 'b'), join(directory, name, 'y'))
  }
  await expect(data({ name: 'parquet' })).rejects.toThrow(/holds no parquet file/)
})

test('a folder in which none can be made is refused', async () => {
  await expect(makeFolder('/proc/zeroshift/store')).rejects.toThrow(/ENOENT/)
  await expect(makeFolder('/dev/null/store')).rejects.toThrow(/ENOTDIR/)
  symlinkSync('loop', join(directory, 'loop'))
  await expect(makeFolder(join(directory, 'loop/store'))).rejects.toThrow(/ELOOP/)
  await makeFolder(join(directory, 'a/b/c'))
  await makeFolder(join(directory, 'a/b/c'))
})

describe('what a checkpoint claims', () => {
  test.each([
    [{ model_type: 'vit', num_hidden_layers: 1_000_000 }, 'num_hidden_layers'],
    [{ model_type: 'deit', hidden_size: 1e9 }, 'hidden_size'],
    [{ model_type: 'resnet', depths: [1e6, 1e6, 1e6, 1e6] }, 'depths[0]'],
    [
      {
        model_type: 'resnet',
        depths: Array.from({ length: 1000 }, () => 9),
        hidden_sizes: Array.from({ length: 1000 }, () => 9),
      },
      'hidden_sizes',
    ],
  ])('beyond all models is refused: %#', async (config, key) => {
    writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
    const started = performance.now()
    await expect(inspectCheckpoint(directory)).rejects.toThrow(`config.json is not as expected: ${key}`)
    expect(performance.now() - started).toBeLessThan(2000)
  })
})
