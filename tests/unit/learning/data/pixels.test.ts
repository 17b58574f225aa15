import { closeSync, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { beforeAll, expect, test, vi } from 'vitest'
import { unpackBytes } from '../../../../learning/model/kernels.ts'
import { DevicePixels, FilePixels, type Pixels } from '../../../../learning/data/pixels.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { pattern } from '../../../support/store-behaviour.ts'

let folder: string
beforeAll(() => {
  folder = fileDirectory()
})

/** The rows in files of so many each. */
function inFiles(bytes: Uint8Array, width: number, perFile: number): FilePixels {
  const descriptors: number[] = []
  const files = Array.from({ length: Math.ceil(bytes.length / (perFile * width)) }, (_, i) => {
    const own = bytes.subarray(i * perFile * width, (i + 1) * perFile * width)
    const file = join(folder, String(i))
    writeFileSync(file, own)
    const descriptor = openSync(file, 'r')
    descriptors.push(descriptor)
    return { descriptor, rows: own.length / width }
  })
  return new FilePixels(files, width, () => {
    descriptors.forEach(closeSync)
  })
}

async function read(pixels: Pixels, indices: Int32Array): Promise<number[]> {
  const rows = tf.tidy(() => unpackBytes(pixels.rows(indices)))
  const values = [...(await rows.data())]
  rows.dispose()
  return values
}

/** Resolves when nothing is being read from files. */
const arrival = () =>
  vi.waitFor(
    () => {
      expect(process.getActiveResourcesInfo()).not.toContain('FSReqCallback')
    },
    { timeout: 20_000 },
  )

test('rows come from files as from the device, whatever was said ahead', async () => {
  const cases = fc.integer({ min: 1, max: 30 }).chain((n) =>
    fc.record({
      width: fc.integer({ min: 1, max: 9 }),
      perFile: fc.integer({ min: 1, max: n }),
      n: fc.constant(n),
      batches: fc.array(
        fc.record({
          indices: fc.array(fc.nat(n - 1), { minLength: 1, maxLength: 5 }),
          said: fc.constantFrom('no', 'yes', 'another', 'too late'),
        }),
        { minLength: 1, maxLength: 5 },
      ),
    }),
  )
  await fc.assert(
    fc.asyncProperty(cases, async ({ width, perFile, n, batches }) => {
      const bytes = pattern(n * width, 7)
      const onDevice = new DevicePixels(bytes, n, width)
      const files = inFiles(bytes, width, perFile)
      for (const { indices, said } of batches) {
        const wanted = Int32Array.from(indices)
        if (said === 'another') files.prefetch(Int32Array.from([0]))
        else if (said !== 'no') files.prefetch(wanted)
        if (said === 'yes') await sleep(1)
        expect(await read(files, wanted)).toEqual(await read(onDevice, wanted))
      }
      onDevice.dispose()
      files.dispose()
    }),
    { numRuns: 60 },
  )
})

test('what was said ahead needs the files no more', async () => {
  const files = inFiles(pattern(40, 1), 4, 10)
  files.prefetch(Int32Array.of(3, 1))
  await arrival()
  writeFileSync(join(folder, '0'), '')
  expect(await read(files, Int32Array.of(3, 1))).toEqual([
    ...pattern(40, 1).subarray(12, 16),
    ...pattern(40, 1).subarray(4, 8),
  ])
  expect(() => files.rows(Int32Array.of(3, 1))).toThrow('ends within row 3: 0 of its 4 bytes are there')
  files.prefetch(Int32Array.of(3))
  await arrival()
  expect(() => files.rows(Int32Array.of(3))).toThrow('ends within row 3')
  expect(() => files.rows(Int32Array.of(10))).toThrow('no row 10')
  files.dispose()
})

test('two batches may be said ahead, as of two sets that take turns', async () => {
  const files = inFiles(pattern(40, 1), 4, 10)
  const of = (row: number) => [...pattern(40, 1).subarray(4 * row, 4 * row + 4)]
  for (const row of [0, 1, 2]) {
    files.prefetch(Int32Array.of(row))
    if (row === 0) await arrival()
  }
  await arrival()
  writeFileSync(join(folder, '0'), '')
  expect(await read(files, Int32Array.of(1))).toEqual(of(1))
  expect(await read(files, Int32Array.of(2))).toEqual(of(2))
  expect(() => files.rows(Int32Array.of(0))).toThrow('ends within row 0')
  files.dispose()
})

test('files are closed once nothing is read from them any more', async () => {
  writeFileSync(join(folder, 'one'), pattern(8, 1))
  const descriptor = openSync(join(folder, 'one'), 'r')
  const files = new FilePixels([{ descriptor, rows: 2 }], 4, () => {
    closeSync(descriptor)
  })
  files.prefetch(Int32Array.of(1))
  files.dispose()
  expect(fstatSync(descriptor).size).toBe(8)
  await arrival()
  expect(() => fstatSync(descriptor)).toThrow('EBADF')
})

test('only batches of them are in memory', async () => {
  const [rows, width] = [1400, 224 * 224 * 3]
  const descriptor = openSync(join(folder, 'large'), 'w+')
  ftruncateSync(descriptor, rows * width)
  const files = new FilePixels([{ descriptor, rows }], width, () => {
    closeSync(descriptor)
  })
  const step = async (first: number) => {
    const batch = Int32Array.from({ length: 16 }, (_, i) => (first + i) % rows)
    tf.tidy(() => files.rows(batch).sum())
    files.prefetch(batch.map((i) => (i + 16) % rows))
    await nextTurn()
  }
  const pass = async () => {
    for (let first = 0; first < rows; first += 16) await step(first)
  }
  await pass()
  const before = process.memoryUsage().rss
  for (let passes = 0; passes < 3; passes++) await pass()
  expect(process.memoryUsage().rss - before).toBeLessThan(100e6)
  files.dispose()
}, 60_000)
