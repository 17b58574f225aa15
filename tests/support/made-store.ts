import { renderedJson, reportFlaw, SharedManifests } from '../../activities/stored-outcome.ts'
import { Artifacts } from '../../artifacts/artifacts.ts'
import { jsonBytes } from '../../common/json.ts'
import { stageFolder } from '../../artifacts/format/layout.ts'
import { checkStore } from '../../artifacts/check/check-store.ts'
import { signReport, signStage } from '../../artifacts/stored-signatures.ts'
import { ensureFormat } from '../../artifacts/format/store-format.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { canonicalJson } from '../../common/canonical.ts'
import type { Manifest } from '../../experiment/records/manifest.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { signedReport } from '../../signatures/claims.ts'
import { newSigningKey } from '../../signatures/keys.ts'
import { sampleInput } from '../unit/report/fixtures.ts'
import { linked } from './linked.ts'
import { bytesOf } from './store-behaviour.ts'

/** Three runs that share stages. */
const inputs = [
  sampleInput({ gold: 1 }),
  sampleInput({ gold: 2 }),
  sampleInput({ gold: 1, methods: [{ method: 'retrain' }, { method: 'finetune', epochs: 1 }] }),
]
export const madeRuns: readonly RunRecord[] = inputs.map(({ run }) => run)

/** Two keys that sign made-up results. */
export const madeKeys = [newSigningKey(), newSigningKey()] as const

export interface Made {
  /** Indices of `madeRuns`. */
  readonly runs: readonly number[]
  /** The devices that trained and unlearned. Results of different devices differ. */
  readonly devices?: { readonly train: string; readonly unlearn: string }
  /** Places of the stages that are gone, among all of its stages. */
  readonly without?: readonly number[]
  /** Runs, as `runs` has them, that have a report. */
  readonly reported?: readonly number[]
  /**
   * 0: as the first version wrote it. 'listed': the same after a later version has begun a run in
   * it.
   */
  readonly format?: 0 | 'listed' | 1
  /** A sweep of all the runs. */
  readonly sweep?: boolean
  readonly signed?: {
    readonly by: 0 | 1
    /** Places of stages, as `without` has them. One that is gone leaves its signature. */
    readonly stages: readonly number[]
    /** Indices of `madeRuns`: those that have a report. */
    readonly reports: readonly number[]
  }
  /** Indices of `madeRuns`: runs that were started by themselves. */
  readonly own?: readonly number[]
}

export const madeSweep = 'ranks-0123abcd'

/** A store of made-up results, sound but for what is said to be gone. */
export async function makeStore(store: ObjectStore, made: Made): Promise<readonly Manifest[]> {
  const { runs, devices = { train: 'a', unlearn: 'a' }, without = [], reported = runs, format = 1 } = made
  const artifacts = new Artifacts(store)
  const all = runs.flatMap((run) => Object.values(inputs[run]?.manifests ?? {}))
  const unique = [...new Map(all.map((manifest) => [manifest.key, manifest])).values()]
  const manifests = linked(
    await Promise.all(
      unique.map(async (manifest) => {
        const { kind, key } = manifest
        const device = kind === 'train' || kind === 'unlearn' ? devices[kind] : 'any'
        return { ...manifest, outputs: { result: await artifacts.putBlob(bytesOf(`${key} on ${device}`)) } }
      }),
    ),
  )
  if (format === 1) await ensureFormat(store)
  for (const manifest of manifests)
    if (format === 1) await artifacts.commit(manifest)
    else
      await store.put(`${stageFolder(manifest)}manifest.json`, jsonBytes(JSON.parse(canonicalJson(manifest))))
  for (const run of runs) {
    const record = madeRuns[run]
    if (!record) continue
    await store.put(`runs/${record.id}/run.json`, jsonBytes(record))
    if (!reported.includes(run)) continue
    const json = renderedJson(record, Object.fromEntries(manifests.map((one) => [one.key, one])))
    await artifacts.putReport(record.id, { 'index.html': `<p>${record.id}</p>`, 'report.json': json })
  }
  for (const run of made.own ?? []) if (runs.includes(run)) await artifacts.markOwn(madeRuns[run]?.id ?? '')
  await signMade(artifacts, made, manifests)
  if (made.sweep) await store.put(`sweeps/${madeSweep}/sweep.json`, jsonBytes(sweepOf(runs)))
  if (format === 'listed') await ensureFormat(store)
  for (const place of without) {
    const gone = manifests[place % Math.max(1, manifests.length)]
    if (gone) await store.delete(`${stageFolder(gone)}manifest.json`)
  }
  return manifests
}

async function signMade(
  artifacts: Artifacts,
  { signed }: Made,
  manifests: readonly Manifest[],
): Promise<void> {
  if (!signed) return
  const key = madeKeys[signed.by]
  for (const place of signed.stages) {
    const manifest = manifests[place % Math.max(1, manifests.length)]
    if (manifest) await signStage(artifacts, manifest, 'computed', key)
  }
  for (const run of signed.reports) {
    const id = madeRuns[run]?.id ?? ''
    const json = await artifacts.reportJson(id)
    const report = json === undefined ? undefined : signedReport(id, JSON.parse(json))
    if (report) await signReport(artifacts, report, 'rendered', key)
  }
}

function sweepOf(runs: readonly number[]): SweepRecord {
  return {
    ...{ id: madeSweep, name: 'ranks', columns: [] },
    command: { config: 'ranks.yaml', overrides: [] },
    space: {} as SweepRecord['space'],
    cells: runs.map((run) => ({ values: [], runs: [madeRuns[run]?.id ?? ''] })),
  }
}

/** The findings of `zeroshift check --read-data`, including those about young files. */
export async function damageOf(store: ObjectStore): Promise<readonly string[]> {
  const artifacts = new Artifacts(store)
  const manifests = new SharedManifests(artifacts)
  const { damage, inUse } = await checkStore(artifacts, {
    ...{ readData: true, grace: 0, now: Date.now() + 1e9 },
    reportFlaw: (run, text) => reportFlaw(run, text, manifests),
  })
  return [...damage, ...inUse].map(({ path, what }) => `${path}: ${what}`)
}
