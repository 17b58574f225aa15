import { sha256 } from '../../common/canonical.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { parseJson } from '../../common/json.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { reportClaims, signedReport } from '../../signatures/claims.ts'
import type { PublicKey } from '../../signatures/keys.ts'
import { recordFlaw } from '../format/read-record.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { verifySignatures } from './check-signatures.ts'
import type { Suspicion } from './damage.ts'

export interface Records {
  readonly runs: ReadonlyMap<string, RunRecord>
  readonly suspicions: readonly Suspicion[]
  /** The paths of the signatures of a run's report, by the id of the run. */
  readonly signatures: ReadonlyMap<string, readonly string[]>
}

/** Reads the records of all runs. */
export async function readRecords(store: ObjectStore): Promise<Records> {
  const objects = await store.list('runs/')
  const ids = [...new Set(objects.flatMap(({ path }) => /^runs\/([^/]+)\//.exec(path)?.[1] ?? []))]
  const read = await mapConcurrently(ids, async (id) => {
    const path = `runs/${id}/run.json`
    const bytes = await store.get(path)
    const value = bytes && parseJson(bytes)
    const flaw = bytes ? recordFlaw(value, id) : 'it is missing'
    return { id, path, value: value as RunRecord, flaw, found: bytes && sha256(bytes) }
  })
  return {
    signatures: pathsBy(reportSignatureName, objects),
    runs: new Map(read.flatMap(({ id, value, flaw }) => (flaw === undefined ? [[id, value] as const] : []))),
    suspicions: read.flatMap(({ id, path, flaw, found }) =>
      flaw === undefined
        ? []
        : [
            {
              ...{ path, run: id, what: flaw, drop: [], evidence: [{ path, found }] },
              remedy: 'run the same experiment again, which writes it anew, or put back a copy of it',
            },
          ],
    ),
  }
}

const reportSignatureName = /^runs\/([^/]+)\/report\.signatures\//

/** Checks the reports of the runs and their signatures. */
export async function checkReports(
  store: ObjectStore,
  { runs, signatures }: Records,
  {
    reportFlaw,
    signers = [],
  }: {
    readonly reportFlaw: (run: RunRecord, text: string) => Promise<string | undefined>
    readonly signers?: readonly PublicKey[]
  },
): Promise<{ readonly suspicions: readonly Suspicion[]; readonly signatures: number }> {
  const found: Suspicion[] = []
  let valid = 0
  for (const [id, run] of runs) {
    const path = `runs/${id}/report/report.json`
    const bytes = await store.get(path)
    if (!bytes) continue
    const text = new TextDecoder().decode(bytes)
    const what = await reportFlaw(run, text)
    const evidence = [{ path, found: sha256(bytes) }]
    if (what !== undefined) {
      found.push({
        ...{ path, run: id, what, drop: [path], evidence },
        remedy: `./zeroshift report ${id} writes it again`,
      })
      continue
    }
    const report = signedReport(id, parseJson(bytes))
    if (!report) continue
    const paths = signatures.get(id) ?? []
    const verified = await verifySignatures(store, paths, reportClaims(report), signers, {
      run: id,
      evidence,
    })
    found.push(...verified.suspicions)
    valid += verified.signers.length
  }
  return { suspicions: found, signatures: valid }
}

/** Checks the records of the sweeps. */
export async function checkSweeps(
  store: ObjectStore,
  runs: ReadonlyMap<string, RunRecord>,
): Promise<readonly Suspicion[]> {
  const paths = (await store.list('sweeps/')).map(({ path }) => path).filter((path) => sweepName.test(path))
  const found = await mapConcurrently(paths, async (path) => {
    const bytes = await store.get(path)
    if (!bytes) return []
    const what = sweepFlaw(parseJson(bytes), sweepName.exec(path)?.[1] ?? '', runs)
    const remedy = 'start the same sweep again, which writes it anew, or put back a copy of it'
    return what === undefined
      ? []
      : [{ path, what, remedy, drop: [], evidence: [{ path, found: sha256(bytes) }] }]
  })
  return found.flat()
}

const sweepName = /^sweeps\/([^/]+)\/sweep\.json$/

function sweepFlaw(value: unknown, id: string, runs: ReadonlyMap<string, RunRecord>): string | undefined {
  try {
    const sweep = value as SweepRecord
    if (sweep.id !== id) return `it is the record of ${sweep.id}`
    const lost = sweep.cells.flatMap((cell) => cell.runs).find((run) => !runs.has(run))
    return lost === undefined ? undefined : `its run ${lost} has no record that holds`
  } catch {
    return 'it is no whole record of a sweep'
  }
}

/** The paths that match a pattern, by the text of the first group. */
export function pathsBy(
  pattern: RegExp,
  objects: readonly StoredObject[],
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>()
  for (const { path } of objects) {
    const group = pattern.exec(path)?.[1]
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), path])
  }
  return groups
}
