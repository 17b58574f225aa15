import { z } from 'zod'
import type { BlobRef } from '../experiment/records/manifest.ts'
import type { StageRef } from '../experiment/stages/stage.ts'
import { STATEMENT_TYPE, type Claims, type Statement } from './statement.ts'

/**
 * Claims about a stage. `computed`: the worker of the signer computed the stage. `attested`: the
 * signer vouches for a result in a store.
 */
export type StageClaim = 'computed' | 'attested'
/**
 * Claims about a report. `rendered`: the signer rendered it from manifests. `attested`: the signer
 * vouches for a report in a store.
 */
export type ReportClaim = 'rendered' | 'attested'

/** The result of a stage, as a signature covers it. */
export interface SignedStage extends StageRef {
  /**
   * The digest of the manifest. It covers the key, inputs, outputs and metrics, and no times.
   */
  readonly digest: string
  readonly outputs: Readonly<Record<string, BlobRef>>
}

/** A report, as a signature covers it. */
export interface SignedReport {
  /** The id of the run. */
  readonly run: string
  /** The digest of the computed part of the report. */
  readonly digest: string
  /** The digests of the manifests that it was rendered from, by the keys of the stages. */
  readonly stages: Readonly<Record<string, string>>
}

/**
 * The statements of all claims about a stage. The output files are subjects too, so that other
 * tools find the signature of a file by its SHA-256.
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

/** The statements of all claims about a report. */
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
 * Returns the part of a `report.json` that is signed, or undefined if the value is not a report.
 * The caller must have verified the digest of the report.
 */
export function signedReport(run: string, value: unknown): SignedReport | undefined {
  const { data } = reportSchema.safeParse(value)
  if (!data) return undefined
  const stages = data.computed.stages.flatMap(({ key, digest }) =>
    digest === undefined ? [] : [[key, digest]],
  )
  return { run, digest: data.digest, stages: Object.fromEntries(stages) as Record<string, string> }
}
