import type { StageRef } from '../../experiment/stages/stage.ts'
import { blobPath } from '../format/layout.ts'
import { readFormat } from '../format/store-format.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ContentsOptions, Flaw, StoreContents } from './contained.ts'
import { readRuns } from './read-runs.ts'
import { readStages, signedKey, stageOf } from './read-stages.ts'
import { readSweeps } from './read-sweeps.ts'

/**
 * Reads a store. Throws a UserError if it does not have one of the runs and sweeps of `ids`, or if
 * a later version wrote it.
 */
export async function readContents(store: ObjectStore, options: ContentsOptions): Promise<StoreContents> {
  const format = await readFormat(store)
  const flaws: Flaw[] = []
  const objects = options.ids ? undefined : (await store.list('stages/')).map(({ path }) => path)
  const all = objects && (await readStages(store, objects.flatMap(stageOf), { format, flaws, objects }))
  const sweeps = await readSweeps(store, options.ids, flaws)
  const has = ({ key }: StageRef) => all?.has(key) ?? false
  const runs = await readRuns(store, { ...options, sweeps, flaws, has })
  const wanted = [...runs.values()].flatMap((run) => run.stages)
  const stages = all ?? (await readStages(store, wanted, { format, flaws }))
  // Blobs are listed last, because a manifest is written after its blobs.
  const blobs = await store.list('blobs/sha256/')
  const signed = (objects ?? []).flatMap((path) => signedKey(path) ?? [])
  return {
    ...{ stages, runs, sweeps, blobs: new Map(blobs.map(({ path, bytes }) => [path, bytes])), flaws },
    signedOnly: new Set(signed.filter((key) => !stages.has(key))),
  }
}

/**
 * The contents of a store without the stages whose blobs were purged. These count as stages that
 * have not finished. Pure.
 *
 * @param purged the SHA-256s of the purged blobs, some of which may have been computed again
 */
export function withoutPurged(contents: StoreContents, purged: ReadonlySet<string>): StoreContents {
  const { blobs } = contents
  const stages = [...contents.stages].filter(([, { outputs }]) =>
    outputs.every((blob) => blobs.has(blobPath(blob)) || !purged.has(blob.sha256)),
  )
  return { ...contents, stages: new Map(stages) }
}
