import type { Artifacts } from '../../artifacts/artifacts.ts'
import { setSizes } from '../../experiment/spec/sets.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { describeChanges, differences } from '../../common/differences.ts'
import { UserError } from '../../common/errors.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import { IN_MEMORY_BYTES, readDataset, type Dataset, type PluginReader } from '../../datasets/index.ts'
import { pluginReader } from '../../datasets/plugin-reader.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import type { Host } from '../../learning/training/host.ts'
import {
  addPixels,
  noPixels,
  partition,
  pixelStatistics,
  type PixelSums,
} from '../../learning/data/partition.ts'
import { checkedPictures } from '../inputs/checked-pictures.ts'
import { findDataDirectory } from '../inputs/data-directory.ts'
import { encodeDataset, shardName } from '../runtime/blob-codecs.ts'
import { loadPlugin, type PluginSource } from '../runtime/plugin.ts'
import type { StageBody } from '../runtime/stage.ts'

const SHARD_BYTES = 2 ** 26

export const dataset = datasetStage(IN_MEMORY_BYTES, SHARD_BYTES)

/**
 * Images that take more than `inMemoryBytes` together are stored in order, in shards of at most
 * `shardBytes`. Only the size of the images decides, so that every machine stores the same blobs.
 */
export function datasetStage(inMemoryBytes: number, shardBytes: number): StageBody<'dataset'> {
  return async (context) => {
    const { stage, settings, artifacts, host, timed } = context
    const { data, seed, facts, keep } = stage.params
    const plugin = await readerFor(context, data)
    const directory = await findDataDirectory(data, settings, undefined, plugin)
    const { result, seconds } = await timed(async () => {
      const found = await readDataset(data, directory, {
        inMemoryBytes,
        decodingCache: checkedPictures,
        plugin,
      })
      refuseOtherData(facts, found.facts, directory)
      const { labels, trainable } = found
      const { shape } = facts
      const parts = partition(setSizes(data, facts), trainable, seed, keep)
      const size = shape[0] * shape[1] * shape[2]
      const images = labels.length * size <= inMemoryBytes ? await found.images(0, labels.length) : undefined
      const rows = Math.max(1, Math.floor(shardBytes / size))
      const { shards, sums } = images
        ? { shards: [], sums: addPixels(noPixels, images, parts.train, shape) }
        : await storeShards(found, { rows, train: parts.train, artifacts, host })
      const { mean, deviation } = pixelStatistics(sums, parts.train.length * shape[0] * shape[1])
      const stored = { ...(images && { images }), labels: Int32Array.from(labels), ...parts, mean, deviation }
      return { parts, dataset: stored, shards }
    })
    const { parts, shards } = result
    return {
      outputs: {
        dataset: encodeDataset(result.dataset),
        ...Object.fromEntries(shards.map((shard, i) => [shardName(i), shard])),
      },
      metrics: { train: parts.train.length, validation: parts.validation.length, test: parts.test.length },
      seconds,
    }
  }
}

/** Loads the reader that a plug-in defines. Returns undefined for a built-in one. */
async function readerFor(source: PluginSource, data: DataSpec): Promise<PluginReader | undefined> {
  return data.name === 'plugin' ? pluginReader(await loadPlugin(source, 'reader', data.plugin)) : undefined
}

/**
 * Refuses files that differ from those that the run was planned with, for instance on another
 * machine. Their result would be stored under the wrong key. Throws a UserError.
 */
function refuseOtherData(planned: DatasetFacts, here: DatasetFacts, directory: string): void {
  const changed = differences(planned, here)
  if (changed.length === 0) return
  throw new UserError(
    `the data in ${directory} are not those that the run was planned with: ${describeChanges(changed)}. ` +
      'Put the files back, or start another run on these',
  )
}

/** The state of a snapshot: the shards that are stored so far. */
interface Stored {
  readonly shards: readonly BlobRef[]
  /** The sums over the training samples. */
  readonly sums: PixelSums
}

/**
 * Stores images in shards of a number of rows. The next shard is decoded while one is being stored.
 */
async function storeShards(
  { facts, labels, images }: Dataset,
  { rows, train, artifacts, host }: { rows: number; train: Int32Array; artifacts: Artifacts; host: Host },
): Promise<Stored> {
  const count = Math.ceil(labels.length / rows)
  const bounds = (shard: number) => [shard * rows, Math.min((shard + 1) * rows, labels.length)] as const
  let stored = await storedShards(host, artifacts)
  const read = (shard: number) => {
    const pixels = shard < count ? images(...bounds(shard)) : Promise.resolve(new Uint8Array())
    // Avoids an unhandled rejection if an earlier error ends the stage before this promise is
    // awaited.
    pixels.catch(() => undefined)
    return pixels
  }
  let next = read(stored.shards.length)
  for (let shard = stored.shards.length; shard < count; shard++) {
    const pixels = await next
    next = read(shard + 1)
    const [from, to] = bounds(shard)
    const trained = train.filter((i) => i >= from && i < to).map((i) => i - from)
    stored = {
      shards: [...stored.shards, await artifacts.putBlob(pixels)],
      sums: addPixels(stored.sums, pixels, trained, facts.shape),
    }
    const { length } = stored.shards
    await host.step({ step: length, steps: count }, () =>
      Promise.resolve({ step: length, vectors: {}, notes: { ...stored } }),
    )
  }
  return stored
}

/** The snapshot of an earlier attempt, unless the store lacks one of its shards. */
async function storedShards({ snapshot }: Host, artifacts: Artifacts): Promise<Stored> {
  const nothing: Stored = { shards: [], sums: noPixels }
  if (!snapshot) return nothing
  const stored = snapshot.notes as unknown as Stored
  return (await artifacts.holds(stored.shards)) ? stored : nothing
}
