import lock from './code-lock.json' with { type: 'json' }
import type { ApproximateMethodName } from '../spec/methods.ts'
import type { Stage, StageKind, StageParams } from './stage.ts'

/**
 * The identity of the code that computes stages. The lock gives each body of code a version and a
 * digest of the modules that the body reaches. The version is part of every key. A digest is part
 * of a key only where the code differs from the lock: results that were computed by changed code
 * are then never taken for those of the locked code.
 */

/** The body of a stage kind; each unlearning method is a body of its own. */
export type CodeName = Exclude<StageKind, 'unlearn'> | `unlearn:${ApproximateMethodName}`

export interface LockedCode {
  /** Counted from 1. Raised where the code computes something else than before. */
  readonly version: number
  readonly digest: string
  /** Earlier digests of this version, with what showed that they give the same results. */
  readonly sameAs?: readonly { readonly digest: string; readonly proof: string }[]
}

export type CodeLock = Readonly<Partial<Record<CodeName, LockedCode>>>

export const codeLock: CodeLock = lock

/** Digests of the code that differs from the lock. */
export type ChangedCode = Readonly<Partial<Record<CodeName, string>>>

export function codeNameOf<K extends StageKind>({
  kind,
  params,
}: {
  readonly kind: K
  readonly params: StageParams[K]
}): CodeName {
  if (kind !== 'unlearn') return kind
  return `unlearn:${(params as StageParams['unlearn']).method.method}`
}

/** A body that is not in the lock yet has the first version. */
export function versionOf(name: CodeName): number {
  return codeLock[name]?.version ?? 1
}

/** Whether code of this digest gives the results that the lock stands for. */
export function isLocked(name: CodeName, digest: string, { [name]: locked }: CodeLock = codeLock): boolean {
  return (
    locked !== undefined &&
    (locked.digest === digest || (locked.sameAs ?? []).some((earlier) => earlier.digest === digest))
  )
}

/** The bodies that compute some of these stages. */
export function codeNamesOf(stages: readonly Stage[]): readonly CodeName[] {
  return [...new Set(stages.map((stage) => codeNameOf(stage)))]
}

/**
 * The changed code that computes some of these stages: each body once, in the order of the stages.
 */
export function changedCodeOf(
  stages: readonly Stage[],
): readonly { readonly name: CodeName; readonly digest: string }[] {
  const changed = stages.flatMap((stage) =>
    stage.code === undefined ? [] : [[codeNameOf(stage), stage.code] as const],
  )
  return [...new Map(changed)].map(([name, digest]) => ({ name, digest }))
}
