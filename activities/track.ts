import { randomUUID } from 'node:crypto'
import { jsonBytes, type Artifacts } from '../artifacts/artifacts.ts'
import { sha256 } from '../experiment/canonical.ts'
import type { BlobRef } from '../experiment/manifest.ts'
import type { RunEnd, RunRecord } from '../experiment/run.ts'
import type { Settings } from '../experiment/spec.ts'
import { resultsBySeed } from '../report/results.ts'
import { contentsOf, type TrackedFile } from '../tracking/contents.ts'
import { deliver, type Delivered, type Ledger, type Note } from '../tracking/deliver.ts'
import { MlflowClient } from '../tracking/mlflow.ts'
import { manifestsOf } from './report.ts'

export type Tracking = NonNullable<Settings['tracking']>

/**
 * Sends what the store has of a run so far to its MLflow server. With `ended` also how the run ended, which stays in the
 * store; without, the run is going on, and an end that was kept of it holds no longer.
 */
export async function track(
  artifacts: Artifacts,
  { run, tracking, ended }: { run: RunRecord; tracking: Tracking; ended?: RunEnd | undefined },
): Promise<Delivered> {
  const path = placeOf(run.id, 'ended')
  if (ended) await putJson(artifacts, path, ended)
  else await artifacts.store.delete(path)
  return deliverRun(artifacts, run, tracking, ended)
}

/**
 * The same from the store alone. A run that was tracked is going on unless its end was kept; how another one ended is told
 * from its report.
 */
export async function trackStored(
  artifacts: Artifacts,
  run: RunRecord,
  tracking: Tracking,
): Promise<Delivered> {
  const kept = await getJson<RunEnd>(artifacts, placeOf(run.id, 'ended'))
  const ended = kept ?? (run.settings?.tracking ? undefined : await endOf(artifacts, run))
  return deliverRun(artifacts, run, tracking, ended)
}

/** undefined: the run has not been to its end yet. */
async function endOf(artifacts: Artifacts, run: RunRecord): Promise<RunEnd | undefined> {
  if (!run.failed) return undefined
  const finished = Object.values(await manifestsOf(artifacts, run)).map(({ clock }) =>
    Date.parse(clock.finishedAt),
  )
  const status = (await reportDigest(artifacts, run.id)) === undefined ? 'FAILED' : 'FINISHED'
  return { status, at: Math.max(0, ...finished) }
}

async function deliverRun(
  artifacts: Artifacts,
  run: RunRecord,
  tracking: Tracking,
  ended: RunEnd | undefined,
): Promise<Delivered> {
  const manifests = await manifestsOf(artifacts, run)
  // The stored run knows what failed; the one that was asked for does not.
  const { failed = [] } = (await artifacts.run(run.id)) ?? run
  const experiment = tracking.experiment ?? run.spec.name
  const report = ended ? await reportFiles(artifacts, run.id) : []
  const contents = contentsOf({
    run: { ...run, failed },
    rows: resultsBySeed({ run, manifests, failed }),
    manifests,
    digest: await reportDigest(artifacts, run.id),
    ...(await identity(artifacts, run.id)),
    ended,
    files: report.map(({ file }) => file),
    register: tracking.register ? experiment : undefined,
  })
  const read = async (blob: BlobRef) =>
    report.find(({ file }) => file.blob.sha256 === blob.sha256)?.bytes ?? (await artifacts.getBlob(blob))
  const client = new MlflowClient(tracking.uri, { retries: 2, retryAfter: 200 })
  return deliver(client, experiment, contents, await ledger(artifacts, run.id, read))
}

const placeOf = (run: string, name: string) => `runs/${run}/tracking/${name}.json`

/** What tells this store's run from the same run in another store: made at the first delivery, and kept. */
async function identity(
  artifacts: Artifacts,
  run: string,
): Promise<{ readonly nonce: string; readonly startedAt: number }> {
  const path = placeOf(run, 'key')
  const kept = await getJson<{ nonce: string; startedAt: number }>(artifacts, path)
  if (kept) return kept
  await artifacts.store.putIfAbsent(path, jsonBytes({ nonce: randomUUID(), startedAt: Date.now() }))
  return identity(artifacts, run)
}

async function ledger(artifacts: Artifacts, run: string, read: Ledger['read']): Promise<Ledger> {
  const note = placeOf(run, 'delivered')
  const claim = (name: string) => placeOf(run, `claims/${sha256(name)}`)
  return {
    // A damaged one is as good as none.
    note: await getJson<Note>(artifacts, note).catch(() => undefined),
    keep: (latest) => putJson(artifacts, note, latest),
    claimed: async (name) => (await getJson<{ run: string }>(artifacts, claim(name)))?.run,
    claim: async (name, id) => {
      await artifacts.store.putIfAbsent(claim(name), jsonBytes({ run: id }))
    },
    read,
  }
}

async function reportFiles(
  { store }: Artifacts,
  run: string,
): Promise<readonly { readonly file: TrackedFile; readonly bytes: Uint8Array }[]> {
  const folder = `runs/${run}/report/`
  const found = (await store.list(folder)).map(async ({ path }) => {
    const bytes = await store.get(path)
    const file = (content: Uint8Array) => ({
      path: `report/${path.slice(folder.length)}`,
      blob: { sha256: sha256(content), bytes: content.length },
    })
    return bytes ? [{ file: file(bytes), bytes }] : []
  })
  return (await Promise.all(found)).flat()
}

async function reportDigest(artifacts: Artifacts, run: string): Promise<string | undefined> {
  const json = await artifacts.reportJson(run)
  return json === undefined ? undefined : (JSON.parse(json) as { readonly digest: string }).digest
}

async function putJson({ store }: Artifacts, path: string, value: unknown): Promise<void> {
  await store.put(path, jsonBytes(value))
}

async function getJson<T>({ store }: Artifacts, path: string): Promise<T | undefined> {
  const bytes = await store.get(path)
  return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as T)
}
