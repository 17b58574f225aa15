import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { decodeTensors, encodeTensors } from '../../../artifacts/format/safetensors.ts'
import { FormatError } from '../../../datasets/files.ts'
import { gunzipped } from '../../../datasets/gzip.ts'
import { decodeIdx } from '../../../datasets/idx.ts'
import { decodeNpy, integersOf } from '../../../datasets/npy.ts'
import { decodeNpz } from '../../../datasets/readers/npz.ts'
import { decodeParquet } from '../../../datasets/readers/parquet.ts'
import { decodeSvhn } from '../../../datasets/readers/svhn.ts'
import { stream } from '../../../learning/random.ts'
import { mutated } from '../../support/mutations.ts'
import { dataSpec, written } from '../../support/reading.ts'
import { openZip } from '../../../datasets/zip.ts'

/**
 * Damaged files. A reader has to throw its own error or return a result, in limited time and with
 * memory in proportion to the file. ZEROSHIFT_FUZZ=100000 makes that many files of each format and
 * prints the outcomes.
 */
const files = Number(process.env.ZEROSHIFT_FUZZ ?? 1500)
const SLOWEST_MS = 2000
/** The memory of an error, a promise and a page of small values, whatever the file. */
const SMALL = 2 ** 20

interface Reader {
  readonly seeds: readonly Buffer[]
  /** How many bytes the answer holds. */
  readonly read: (file: Buffer) => number | Promise<number>
  readonly isRefusal: (error: unknown) => boolean
  /** Compressed files may hold more than their own size; how much more is the reader's limit. */
  readonly expansion: number
}

const from = (...folders: string[]) =>
  folders.flatMap((folder) =>
    readdirSync(join(written, folder))
      .sort()
      .map((name) => readFileSync(join(written, folder, name))),
  )
const own = (error: unknown) => error instanceof FormatError
const archives = from('npz')
const arrays = await Promise.all(
  archives.map(async (bytes) => {
    const zip = await openZip(bytes)
    return Promise.all(zip.names.map((name) => zip.read(name)))
  }),
)
const idx = Buffer.from([
  0,
  0,
  8,
  3,
  0,
  0,
  0,
  4,
  0,
  0,
  0,
  3,
  0,
  0,
  0,
  5,
  ...Array.from({ length: 60 }, (_, i) => i),
])
const npz = dataSpec('npz', { test: 0.5 })

/** The bytes of the answer, or the error. */
async function outcomeOf(read: Reader['read'], file: Buffer): Promise<number | Error> {
  try {
    return await read(file)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const readers: Readonly<Record<string, Reader>> = {
  safetensors: {
    seeds: [
      Buffer.from(
        encodeTensors(
          {
            images: { dtype: 'U8', shape: [2, 3], values: Uint8Array.from([1, 2, 3, 4, 5, 6]) },
            weights: { dtype: 'F32', shape: [2, 2], values: Float32Array.from([1, 2, 3, 4]) },
            steps: { dtype: 'I64', shape: [1], values: Float64Array.of(7) },
            labels: { dtype: 'I32', shape: [0], values: new Int32Array() },
          },
          { format: 'pt' },
        ),
      ),
      Buffer.from(encodeTensors({})),
    ],
    read: (file) =>
      Object.values(decodeTensors(file).tensors).reduce((sum, { values }) => sum + values.byteLength, 0),
    isRefusal: (error) => error instanceof Error && /tensor|safetensors/.test(error.message),
    expansion: 1,
  },
  idx: {
    seeds: [idx, idx.subarray(0, 16)],
    read: (file) => decodeIdx(file, 3).values.length,
    isRefusal: own,
    expansion: 1,
  },
  'gzipped idx': {
    seeds: [gzipSync(idx)],
    read: async (file) => decodeIdx(await gunzipped(file), 3).values.length,
    isRefusal: own,
    expansion: 100,
  },
  npy: {
    seeds: arrays.flat(),
    read: (file) => {
      const array = decodeNpy(file)
      return /^.[ui]/.test(array.dtype) ? integersOf(array).length : array.values.length
    },
    isRefusal: own,
    expansion: 1,
  },
  npz: {
    seeds: archives,
    read: async (file) => {
      const { train, test } = await decodeNpz(file, npz)
      return train.images.length + (test?.images.length ?? 0)
    },
    isRefusal: own,
    expansion: 100,
  },
  parquet: {
    seeds: from('arrow', 'huggingface/data'),
    read: async (file) => {
      const { images } = await decodeParquet(file, {})
      return images.reduce((sum, { length }) => sum + length, 0)
    },
    isRefusal: own,
    expansion: 100,
  },
  matlab: {
    seeds: from('svhn'),
    read: async (file) => (await decodeSvhn(file)).images.length,
    isRefusal: own,
    expansion: 100,
  },
}

test.each(Object.entries(readers))(
  '%s: a damaged file is an error or an answer, never a crash, a hang, or memory that it does not account for',
  { timeout: 30_000 + 20 * files },
  async (name, { seeds, read, isRefusal, expansion }) => {
    // What is loaded and allocated once is none of a file's.
    for (const seed of seeds) await outcomeOf(read, seed)
    const outcome = { files, refused: 0, read: 0, slowestMs: 0, largestKb: 0, grownMb: 0 }
    const before = process.resourceUsage().maxRSS
    for (let i = 0; i < files; i++) {
      const random = stream(1, 'fuzz', name, i)
      const file = mutated(seeds[random.integer(seeds.length)] ?? idx, seeds, random)
      const held = process.memoryUsage().arrayBuffers
      const began = performance.now()
      const answer = await outcomeOf(read, file)
      const ms = performance.now() - began
      if (typeof answer === 'number') {
        outcome.read++
        expect(answer, `file ${i}`).toBeLessThanOrEqual(expansion * file.length + SMALL)
      } else {
        outcome.refused++
        if (!isRefusal(answer))
          throw new Error(`file ${i} ended in another error than the reader's own`, { cause: answer })
      }
      const allocated = process.memoryUsage().arrayBuffers - held
      expect(ms, `file ${i} took too long`).toBeLessThan(SLOWEST_MS)
      // What is unpacked is there in parts and whole.
      expect(allocated, `file ${i} took too much memory`).toBeLessThanOrEqual(
        4 * expansion * file.length + SMALL,
      )
      outcome.slowestMs = Math.max(outcome.slowestMs, Math.round(ms))
      outcome.largestKb = Math.max(outcome.largestKb, Math.round(allocated / 1024))
    }
    outcome.grownMb = Math.round((process.resourceUsage().maxRSS - before) / 1024)
    if (process.env.ZEROSHIFT_FUZZ !== undefined) console.log(name, JSON.stringify(outcome))
    expect(outcome.refused).toBeGreaterThan(0)
    expect(outcome.read).toBeGreaterThan(0)
  },
)
