import { z } from 'zod'
import { sha256 } from '../../common/canonical.ts'
import { parseJson } from '../../common/json.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { reportClaims, signedReport } from '../../signatures/claims.ts'
import { reportPath, reportSignatures } from '../format/layout.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ContainedReport, ContentsOptions, Flaw } from './contained.ts'
import { pathsBelow } from './list-store.ts'
import { validSignatures } from './valid-signatures.ts'

const reportSchema = z.object({
  computed: z.object({ stages: z.array(z.object({ key: z.string(), digest: z.string().optional() })) }),
})

/**
 * Reads and verifies the report of a run. Returns undefined if there is none, or if it is damaged,
 * which is added to the flaws.
 */
export async function readReport(
  store: ObjectStore,
  run: RunRecord,
  { reportFlaw, flaws }: { reportFlaw: ContentsOptions['reportFlaw'] | undefined; flaws: Flaw[] },
): Promise<ContainedReport | undefined> {
  const path = reportPath(run.id)
  const bytes = await store.get(path)
  if (!bytes) return undefined
  const value = parseJson(bytes)
  const { data } = reportSchema.safeParse(value)
  const flaw = data
    ? await reportFlaw?.(run, new TextDecoder().decode(bytes))
    : 'this is not the report of a run'
  if (!data || flaw !== undefined) {
    flaws.push({ path, what: flaw ?? '' })
    return undefined
  }
  const digests = data.computed.stages.flatMap(({ key, digest }) =>
    digest === undefined ? [] : [[key, digest] as const],
  )
  const signed = signedReport(run.id, value)
  const signatures = signed ? await pathsBelow(store, reportSignatures(run.id)) : []
  return {
    json: { path, bytes: bytes.length, sha256: sha256(bytes) },
    digests: new Map(digests),
    digest: signed?.digest,
    signatures: signed ? await validSignatures(store, signatures, reportClaims(signed), flaws) : [],
  }
}
