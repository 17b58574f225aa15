import { z } from 'zod'
import { canonicalJson } from '../common/canonical.ts'
import { differences } from '../common/differences.ts'
import { UserError } from '../common/errors.ts'
import { readEnvelope, signedEnvelope, signersOf, type Envelope, type Signers } from './envelope.ts'
import type { PublicKey, Signer } from './keys.ts'

/**
 * An in-toto statement (version 1 of https://github.com/in-toto/attestation), which the tools of
 * in-toto and sigstore read. A statement names its subjects by their digests. The type of its
 * predicate distinguishes claims about the same subject.
 */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE
  readonly subject: readonly Subject[]
  readonly predicateType: string
  readonly predicate: Readonly<Record<string, unknown>>
}

export interface Subject {
  readonly name: string
  readonly digest: { readonly sha256: string }
}

/** The statements that a signature of a result may sign, by the name of the claim. */
export type Claims<C extends string> = Readonly<Record<C, Statement>>

/** The claim and the signers of an envelope, or the reason why it is not valid. */
export type VerifiedEnvelope<C extends string> = ({ readonly claim: C } & Signers) | { readonly flaw: string }

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

const schema = z.looseObject({ _type: z.literal(STATEMENT_TYPE), predicateType: z.string() })

/** Signs a statement and returns the envelope as one line of JSON with a line break. */
export function signedStatement(statement: Statement, signer: Signer): string {
  return signedEnvelope(PAYLOAD_TYPE, Buffer.from(canonicalJson(statement)), signer)
}

/**
 * Verifies an envelope: its payload must be one of the statements in `claims`, and no signature may
 * be invalid unless another one is valid. Signatures are verified with `keys` and with the keys in
 * the envelope.
 */
export function verifyEnvelope<C extends string>(
  text: string,
  where: string,
  claims: Claims<C>,
  keys: readonly PublicKey[] = [],
): VerifiedEnvelope<C> {
  const envelope = envelopeIn(text, where)
  if ('flaw' in envelope) return envelope
  const signers = signersOf(envelope, keys)
  if (signers.valid.length === 0 && signers.invalid.length > 0)
    return { flaw: `the signature by ${signers.invalid.join(', ')} does not verify` }
  const stated = statementIn(envelope.payload)
  if (!stated) return { flaw: 'its payload is no in-toto statement' }
  const claim = (Object.keys(claims) as C[]).find(
    (name) => claims[name].predicateType === stated.predicateType,
  )
  if (claim === undefined) return { flaw: `it is a statement of another kind, "${stated.predicateType}"` }
  const [other] = differences(claims[claim], stated)
  if (other) return { flaw: `its ${other.path} is ${other.after}, expected ${other.before}` }
  return { claim, ...signers }
}

/** The subjects that an envelope names, without verification. Empty if it is malformed. */
export function subjectsOf(text: string): readonly Subject[] {
  const envelope = envelopeIn(text, '')
  if ('flaw' in envelope) return []
  return subjectsSchema.safeParse(statementIn(envelope.payload)?.subject).data ?? []
}

function envelopeIn(text: string, where: string): Envelope | { readonly flaw: string } {
  try {
    return readEnvelope(text, PAYLOAD_TYPE, where)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { flaw: error.problems.map(({ message }) => message).join('; ') }
  }
}

const subjectsSchema = z.array(z.object({ name: z.string(), digest: z.object({ sha256: z.string() }) }))

function statementIn(payload: Buffer): z.output<typeof schema> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
    return schema.safeParse(value).data
  } catch {
    return undefined
  }
}
