import { closeSync, read } from 'node:fs'
import { promisify } from 'node:util'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import { whiteOf } from '../../experiment/spec/white.ts'
import type { TaskImages } from '../../programs/task-directory.ts'
import { readDataset, shardsOf, type StoredDataset } from '../runtime/blob-codecs.ts'

/** A stored data set, and its part that a task contains. */
export interface TaskData {
  readonly stored: StoredDataset
  readonly images: TaskImages
}

/** Reads the data set for a program. The pixels of a large data set are read piece by piece. */
export async function readTaskData(artifacts: Artifacts, manifest: ManifestOf<'dataset'>): Promise<TaskData> {
  const stored = await readDataset(artifacts, manifest)
  const { facts } = manifest.params
  return {
    stored,
    images: {
      // A task of its own reads the pixels again for predictions.
      images: stored.images
        ? [stored.images]
        : { [Symbol.asyncIterator]: () => shardPieces(artifacts, manifest) },
      samples: stored.labels.length,
      shape: facts.shape,
      classes: facts.classes,
      white: whiteOf(facts),
      mean: stored.mean,
      deviation: stored.deviation,
    },
  }
}

const PIECE_BYTES = 2 ** 22
const readPiece = promisify(read)

/**
 * The bytes of all shards, in order. The caller uses each piece before it asks for the next one.
 */
async function* shardPieces(
  artifacts: Artifacts,
  manifest: ManifestOf<'dataset'>,
): AsyncGenerator<Uint8Array> {
  const descriptors = await artifacts.openBlobs(shardsOf(manifest))
  try {
    for (const descriptor of descriptors) {
      for (;;) {
        const { bytesRead, buffer } = await readPiece(
          descriptor,
          Buffer.alloc(PIECE_BYTES),
          0,
          PIECE_BYTES,
          null,
        )
        if (bytesRead === 0) break
        yield buffer.subarray(0, bytesRead)
      }
    }
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
}
