import { z } from 'zod'
import { canonicalJson, digestOf } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { parseJson } from '../common/json.ts'
import type { Deletion } from '../experiment/records/deletion.ts'
import { envelopeText, readEnvelope, signersOf } from './envelope.ts'
import type { PublicKey } from './keys.ts'
import { PAYLOAD_TYPE, STATEMENT_TYPE, type Statement } from './statement.ts'

/**
 * The statement that somebody has computed the accepted attempt of a deletion request again. Its
 * subject is the model after the request.
 */
const PREDICATE_TYPE = 'urn:zeroshift:deletion-recomputed:v1'

const hash = z.string().regex(/^[0-9a-f]{64}$/)

const recomputationSchema = z.strictObject({
  /** The digest of the record. */
  record: hash,
  run: z.string(),
  /** The digest of the report that the run was compared with. */
  report: hash,
  /** How the run compares with its report, as `verify` says it. */
  result: z.enum(['verified', 'within-floor', 'different']),
  /** The digest of the model that was computed. Null if there is none. */
  model: hash.nullable(),
  device: z.strictObject({ name: z.string(), threads: z.number() }),
  /** The version of Zeroshift. */
  code: z.string(),
})
export type Recomputation = z.output<typeof recomputationSchema>

/** An attestation of a recomputation, with the keys that have signed it. */
export type SignedRecomputation = Recomputation & { readonly keyids: readonly string[] }

export function recomputedStatement(record: Deletion, predicate: Recomputation): Statement {
  const { sha256 } = record.model.after
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'model', digest: { sha256 } }],
    predicateType: PREDICATE_TYPE,
    predicate,
  }
}

/** Verifies one line of the attestations in a certificate. Returns it, or why it does not hold. */
export function recomputationIn(
  line: string,
  where: string,
  record: Deletion,
  keys: readonly PublicKey[],
): SignedRecomputation | { readonly flaw: string } {
  try {
    const envelope = readEnvelope(line, PAYLOAD_TYPE, where)
    const { valid, invalid, unknown } = signersOf(envelope, keys)
    const [bad] = [...invalid, ...unknown]
    if (bad !== undefined || valid.length === 0)
      return { flaw: `the signature by ${bad ?? 'nobody'} does not verify` }
    if (envelopeText(envelope) !== `${line}\n`)
      return { flaw: 'its bytes are not those that Zeroshift writes for its content' }
    const payload = envelope.payload.toString()
    const { data } = z.object({ predicate: recomputationSchema }).safeParse(parseJson(payload))
    if (!data || canonicalJson(recomputedStatement(record, data.predicate)) !== payload)
      return { flaw: 'it is no statement that the model of this record was computed again' }
    if (data.predicate.record !== digestOf(record)) return { flaw: 'it is about another record' }
    return { ...data.predicate, keyids: valid }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { flaw: error.problems.map(({ message }) => message).join('; ') }
  }
}
