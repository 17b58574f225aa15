import { sha256 } from '../../common/canonical.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { StageClaim } from '../../signatures/claims.ts'
import type { PublicKey } from '../../signatures/keys.ts'
import { verifyEnvelope, type Claims } from '../../signatures/statement.ts'
import type { Damage, ReadStage, Suspicion } from './damage.ts'
import type { ObjectStore } from '../store/object-store.ts'

export interface Signer<C extends string> {
  readonly keyid: string
  readonly claim: C
}

/**
 * The stages for which signatures are required: those that a required key has signed, and others.
 */
export interface DemandedSignatures {
  readonly signed: Readonly<Record<StageClaim, number>>
  readonly unsigned: readonly Damage[]
}

export interface FoundSignatures<C extends string> {
  /** The signers whose signatures are valid. */
  readonly signers: readonly Signer<C>[]
  readonly suspicions: readonly Suspicion[]
}

/**
 * Verifies the signatures at these paths.
 *
 * @param about the stage or the run that is signed, and the objects that were read of it
 */
export async function verifySignatures<C extends string>(
  store: ObjectStore,
  paths: readonly string[],
  claims: Claims<C>,
  keys: readonly PublicKey[],
  about: Pick<Suspicion, 'stage' | 'run' | 'isInUse' | 'evidence'>,
): Promise<FoundSignatures<C>> {
  const signers: Signer<C>[] = []
  const suspicions: Suspicion[] = []
  for (const path of paths) {
    const bytes = await store.get(path)
    if (!bytes) continue
    const verified = verifySignature(path, new TextDecoder().decode(bytes), claims, keys)
    if ('claim' in verified)
      signers.push(...verified.valid.map((keyid) => ({ keyid, claim: verified.claim })))
    else
      suspicions.push({
        ...about,
        ...{ path, what: verified.flaw, drop: [path] },
        remedy: 'only the signature is lost, and `./zeroshift sign` writes another one',
        evidence: [...about.evidence, { path, found: sha256(bytes) }],
      })
  }
  return { signers, suspicions }
}

/**
 * Verifies one signature. The name of its file must be the id of a key that signed. Returns the ids
 * of the keys whose signatures are valid, or the flaw.
 */
export function verifySignature<C extends string>(
  path: string,
  text: string,
  claims: Claims<C>,
  keys: readonly PublicKey[],
): { readonly claim: C; readonly valid: readonly string[] } | { readonly flaw: string } {
  const verified = verifyEnvelope(text, path, claims, keys)
  if ('flaw' in verified) return verified
  const { claim, valid, invalid, unknown } = verified
  if (invalid.length > 0) return { flaw: `the signature by ${invalid.join(', ')} does not verify` }
  const signers = [...valid, ...unknown]
  const named = /([^/]+)\.json$/.exec(path)?.[1] ?? path
  if (signers.includes(named)) return { claim, valid }
  return { flaw: `its name is that of another key: it has signatures by ${signers.join(', ')}` }
}

/**
 * Divides the finished stages of the runs into those that one of the keys has signed and the
 * others. A stage that the keys have signed with both claims counts as `computed`.
 */
export function demandSignatures(
  runs: ReadonlyMap<string, RunRecord>,
  stages: ReadonlyMap<string, Pick<ReadStage, 'path' | 'digest'>>,
  signers: ReadonlyMap<string, readonly Signer<StageClaim>[]>,
  keys: readonly PublicKey[],
): DemandedSignatures {
  const users = new Map<string, string[]>()
  for (const [id, { plan }] of runs)
    for (const { key } of stagesOf(plan)) users.set(key, [...(users.get(key) ?? []), id])
  const signed = { computed: 0, attested: 0 }
  const unsigned: Damage[] = []
  for (const [key, runs] of users) {
    const stage = stages.get(key)
    if (stage?.digest === undefined) continue
    const found = signers.get(key) ?? []
    const claims = found.flatMap(({ keyid, claim }) => (keys.some(({ id }) => id === keyid) ? [claim] : []))
    if (claims.length > 0) signed[claims.includes('computed') ? 'computed' : 'attested'] += 1
    else unsigned.push({ path: stage.path, what: lackOf(found, keys), remedy: REMEDY, drop: [], runs })
  }
  return { signed, unsigned }
}

const REMEDY = 'a worker with the key signs what it computes; `./zeroshift sign` attests what is there'

function lackOf(found: readonly Signer<StageClaim>[], keys: readonly PublicKey[]): string {
  const others = found.map(({ keyid }) => keyid).join(', ')
  const what = others === '' ? 'it is not signed' : `it is signed by ${others}`
  return `${what}; expected a signature by ${keys.map(({ id }) => id).join(' or ')}`
}
