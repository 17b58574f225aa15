import { sha256 } from '../experiment/canonical.ts'
import type { RunRecord } from '../experiment/run.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import type { PublicKey } from '../signatures/keys.ts'
import { judgeEnvelope, type Claims } from '../signatures/statement.ts'
import type { Damage, ReadStage, Suspicion } from './check.ts'
import type { ObjectStore } from './store.ts'

/** Signatures in a store, as a check finds them. */

export interface FoundSignatures {
  /** Ids of the keys whose signatures hold. */
  readonly signers: readonly string[]
  readonly suspicions: readonly Suspicion[]
}

/** `about`: what was read of the thing that is signed, and whose it is. */
export async function judgeSignatures<C extends string>(
  store: ObjectStore,
  paths: readonly string[],
  claims: Claims<C>,
  keys: readonly PublicKey[],
  about: Pick<Suspicion, 'stage' | 'run' | 'isInUse' | 'evidence'>,
): Promise<FoundSignatures> {
  const signers: string[] = []
  const suspicions: Suspicion[] = []
  for (const path of paths) {
    const bytes = await store.get(path)
    if (!bytes) continue
    const judged = judge(path, new TextDecoder().decode(bytes), claims, keys)
    if (!('flaw' in judged)) signers.push(...judged.valid)
    else
      suspicions.push({
        ...about,
        ...{ path, what: judged.flaw, drop: [path] },
        remedy: 'only the signature is lost, and `./zeroshift sign` writes another one',
        evidence: [...about.evidence, { path, found: sha256(bytes) }],
      })
  }
  return { signers, suspicions }
}

function judge<C extends string>(
  path: string,
  text: string,
  claims: Claims<C>,
  keys: readonly PublicKey[],
): { readonly valid: readonly string[] } | { readonly flaw: string } {
  const judged = judgeEnvelope(text, path, claims, keys)
  if ('flaw' in judged) return judged
  const { valid, invalid, unknown } = judged
  if (invalid.length > 0) return { flaw: `the signature by ${invalid.join(', ')} does not verify` }
  const signers = [...valid, ...unknown]
  const named = /([^/]+)\.json$/.exec(path)?.[1] ?? path
  if (signers.includes(named)) return { valid }
  return { flaw: `its name is that of another key: it has signatures by ${signers.join(', ')}` }
}

/**
 * The stages of the wanted runs that have a manifest, and no signature that holds by any of the
 * keys.
 */
export function unsignedStages(
  runs: ReadonlyMap<string, RunRecord>,
  stages: ReadonlyMap<string, Pick<ReadStage, 'path' | 'digest'>>,
  signers: ReadonlyMap<string, readonly string[]>,
  keys: readonly PublicKey[],
): readonly Damage[] {
  const users = new Map<string, string[]>()
  for (const [id, { plan }] of runs)
    for (const { key } of stagesOf(plan)) users.set(key, [...(users.get(key) ?? []), id])
  return [...users].flatMap(([key, runs]) => {
    const stage = stages.get(key)
    const found = signers.get(key) ?? []
    if (stage?.digest === undefined || keys.some(({ id }) => found.includes(id))) return []
    const what = found.length > 0 ? `it is signed by ${found.join(', ')}` : 'it is not signed'
    const expected = `expected a signature by ${keys.map(({ id }) => id).join(' or ')}`
    const remedy = 'a worker with the key signs what it computes; `./zeroshift sign` attests what is there'
    return [{ path: stage.path, what: `${what}; ${expected}`, remedy, drop: [], runs }]
  })
}
