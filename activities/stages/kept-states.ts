import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors, type WritableTensor } from '../../artifacts/format/safetensors.ts'
import type { BlobRef, ManifestOf } from '../../experiment/records/manifest.ts'
import type { Host, Snapshot } from '../../learning/training/host.ts'
import type { KeptState } from '../../unlearning/method.ts'

/**
 * The states that a training keeps for `replay`: blobs of its manifest, named `state.<step>`. Each
 * is a snapshot, from which the training continues as if it had never stopped.
 */

const PREFIX = 'state.'

/** A host of a training that keeps states. */
export interface KeepingHost {
  readonly host: Host
  /** The blobs of the states that were kept so far, by output name. */
  readonly outputs: () => Readonly<Record<string, BlobRef>>
}

/**
 * Makes a host that stores the state after each step of `steps`. The snapshots of the stage name
 * the blobs, so that an attempt that continues from one knows them. If the store lacks one of them,
 * the training begins again.
 */
export async function keepStates(
  host: Host,
  artifacts: Artifacts,
  steps: readonly number[],
): Promise<KeepingHost> {
  const earlier = (host.snapshot?.notes.kept ?? {}) as Readonly<Record<string, BlobRef>>
  const isWhole = await artifacts.holds(Object.values(earlier))
  const wanted = new Set(steps)
  let kept = isWhole ? earlier : {}
  return {
    host: {
      ...(host.microBatches !== undefined && { microBatches: host.microBatches }),
      snapshot: isWhole ? host.snapshot : undefined,
      async step(progress, take) {
        const { step } = progress
        if (take && step !== undefined && wanted.has(step))
          kept = { ...kept, [`${PREFIX}${step}`]: await artifacts.putBlob(encodeState(await take())) }
        await host.step(
          progress,
          take &&
            (async () => {
              const snapshot = await take()
              return { ...snapshot, notes: { ...snapshot.notes, kept } }
            }),
        )
      },
    },
    outputs: () => kept,
  }
}

/** The states that a training kept, in the order of their steps. */
export function keptStates(artifacts: Artifacts, { outputs }: ManifestOf<'train'>): readonly KeptState[] {
  return Object.entries(outputs)
    .flatMap(([name, blob]): KeptState[] => {
      if (!name.startsWith(PREFIX)) return []
      const step = Number(name.slice(PREFIX.length))
      return [{ step, read: async () => decodeState(await artifacts.getBlob(blob)) }]
    })
    .sort((a, b) => a.step - b.step)
}

function encodeState({ vectors, ...about }: Snapshot): Uint8Array {
  const tensors = Object.entries(vectors).map(([name, values]): [string, WritableTensor] => [
    name,
    { dtype: 'F32', shape: [values.length], values },
  ])
  return encodeTensors(Object.fromEntries(tensors), { about: JSON.stringify(about) })
}

function decodeState(bytes: Uint8Array): Snapshot {
  const { tensors, metadata } = decodeTensors(bytes)
  const about = JSON.parse(metadata.about ?? '{}') as Omit<Snapshot, 'vectors'>
  const vectors = Object.entries(tensors).flatMap(([name, { dtype, values }]) =>
    dtype === 'F32' ? [[name, values] as const] : [],
  )
  return { ...about, vectors: Object.fromEntries(vectors) }
}
