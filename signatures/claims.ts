import { z } from 'zod'
import type { BlobRef } from '../experiment/records/manifest.ts'
import type { StageRef } from '../experiment/stages/stage.ts'
import { STATEMENT_TYPE, type Claims, type Statement } from './statement.ts'

/** The claims that a signature can make about the result of a stage or the report of a run. */

/**
 * `computed`: the signer's worker computed the stage. `attested`: the signer vouches for a result
 * in a store.
 */
export type StageClaim = 'computed' | 'attested'
/** `rendered`: the signer rendered the report from manifests. `attested`: as for stages. */
export type ReportClaim = 'rendered' | 'attested'

export interface SignedStage extends StageRef {
  /**
   * The digest of its manifest, which covers the key, inputs, outputs and metrics, and no clock.
   */
  readonly digest: string
  readonly outputs: Readonly<Record<string, BlobRef>>
}

export interface SignedReport {
  /** The run's id. */
  readonly run: string
  /** The digest of the report's computed part. */
  readonly digest: string
  /** The digests of the manifests that it was rendered from, by the stages' keys. */
  readonly stages: Readonly<Record<string, string>>
}

/**
 * The output files are subjects too, so that other tools find the signature of a file by its
 * SHA-256.
 */
export function stageClaims({ kind, key, digest, outputs }: SignedStage): Claims<StageClaim> {
  const statement = (claim: StageClaim): Statement => ({
    _type: STATEMENT_TYPE,
    subject: [
      { name: stageName({ kind, key }), digest: { sha256: digest } },
      ...Object.entries(outputs)
        .map(([name, { sha256 }]) => ({ name, digest: { sha256 } }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ],
    predicateType: `urn:zeroshift:stage-${claim}:v1`,
    predicate: { kind, key, digest },
  })
  return { computed: statement('computed'), attested: statement('attested') }
}

export function reportClaims({ run, digest, stages }: SignedReport): Claims<ReportClaim> {
  const statement = (claim: ReportClaim): Statement => ({
    _type: STATEMENT_TYPE,
    subject: [{ name: `runs/${run}/report`, digest: { sha256: digest } }],
    predicateType: `urn:zeroshift:report-${claim}:v1`,
    predicate: { run, digest, stages },
  })
  return { rendered: statement('rendered'), attested: statement('attested') }
}

const stageName = ({ kind, key }: StageRef) => `stages/${kind}/${key}`

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const reportSchema = z.object({
  digest: hash,
  computed: z.object({ stages: z.array(z.object({ key: hash, digest: hash.optional() })) }),
})

/**
 * The part of a `report.json` that is signed. The caller has verified its digest before. Returns
 * undefined if the value is no report.
 */
export function signedReport(run: string, value: unknown): SignedReport | undefined {
  const { data } = reportSchema.safeParse(value)
  if (!data) return undefined
  const stages = data.computed.stages.flatMap(({ key, digest }) =>
    digest === undefined ? [] : [[key, digest]],
  )
  return { run, digest: data.digest, stages: Object.fromEntries(stages) as Record<string, string> }
}
