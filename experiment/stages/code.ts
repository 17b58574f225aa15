import lock from './code-lock.json' with { type: 'json' }
import type { ApproximateMethodName } from '../spec/methods.ts'
import { isOfProgram, type OwnParamsOf, type Stage, type StageKind, type StageParams } from './stage.ts'

/**
 * The identity of the code that computes stages. The lock gives each body of code a version and a
 * digest of the modules that the body reaches. The version is part of every key. A digest is part
 * of a key only if the code differs from the lock, so that results of changed code are never taken
 * for results of the locked code.
 */

/** The kinds of stage that execute an unlearning method. */
type MethodKind = 'unlearn' | 'trial'

/** The kinds of stage that an external program may compute. */
export type ProgramKind = 'train' | 'shadow' | 'unlearn' | 'evaluate'

/**
 * The name of a body of code: a stage kind, with the method for the kinds that execute one. The
 * code that executes an external program is apart from that of other stages of the kind, and so is
 * the code that executes a plug-in.
 */
export type CodeName =
  | Exclude<StageKind, MethodKind>
  | `${MethodKind}:${ApproximateMethodName}`
  | `${ProgramKind}:program`
  | PluginCodeName

/** The bodies of stages in which plug-ins are executed besides Zeroshift's own code. */
export const pluginCodeNames = [
  'dataset:plugin',
  'attack:plugin',
  'unlearn:rfa:plugin',
  'trial:rfa:plugin',
] as const
type PluginCodeName = (typeof pluginCodeNames)[number]

export interface LockedCode {
  /** Counted from 1. A change of the code that changes results raises it. */
  readonly version: number
  readonly digest: string
  /** Earlier digests of this version, with the proof that they give the same results. */
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
  if (isProgramKind(kind) && isOfProgram({ params })) return `${kind}:program`
  if (kind === 'dataset' && (params as StageParams['dataset']).data.name === 'plugin') return 'dataset:plugin'
  if (kind === 'attack' && (params as StageParams['attack']).scores) return 'attack:plugin'
  if (!isMethodKind(kind)) return kind
  const { method } = params as OwnParamsOf<MethodKind>
  if (method.method === 'rfa' && typeof method.target !== 'string') return `${kind}:rfa:plugin`
  return `${kind}:${method.method}`
}

export function isMethodKind(kind: StageKind): kind is MethodKind {
  return kind === 'unlearn' || kind === 'trial'
}

export function isProgramKind(kind: StageKind): kind is ProgramKind {
  return kind === 'train' || kind === 'shadow' || kind === 'unlearn' || kind === 'evaluate'
}

/** The version of a body. A body that is not in the lock yet has version 1. */
export function versionOf(name: CodeName): number {
  return codeLock[name]?.version ?? 1
}

/** Whether code with this digest gives the same results as the locked code. */
export function isLocked(name: CodeName, digest: string, { [name]: locked }: CodeLock = codeLock): boolean {
  return (
    locked !== undefined &&
    (locked.digest === digest || (locked.sameAs ?? []).some((earlier) => earlier.digest === digest))
  )
}

/** The names of the bodies that compute these stages. */
export function codeNamesOf(stages: readonly Stage[]): readonly CodeName[] {
  return [...new Set(stages.map((stage) => codeNameOf(stage)))]
}

/** The version and the digest of each body that computes these stages, by its name. */
export function bodiesOf(
  stages: readonly Stage[],
): Readonly<Record<string, Pick<LockedCode, 'version' | 'digest'>>> {
  const bodies = stages.flatMap((stage) => {
    const name = codeNameOf(stage)
    const digest = stage.code ?? codeLock[name]?.digest
    return digest === undefined ? [] : [[name, { version: versionOf(name), digest }] as const]
  })
  return Object.fromEntries(bodies)
}

/**
 * The bodies of these stages that differ from the lock: each body once, in the order of the stages.
 */
export function changedCodeOf(
  stages: readonly Stage[],
): readonly { readonly name: CodeName; readonly digest: string }[] {
  const changed = stages.flatMap((stage) =>
    stage.code === undefined ? [] : [[codeNameOf(stage), stage.code] as const],
  )
  return [...new Map(changed)].map(([name, digest]) => ({ name, digest }))
}
