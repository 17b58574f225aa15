import { shadowAttacks, type EvaluatedSet } from './measured.ts'
import { scoreNames } from './scores.ts'

/**
 * What the outputs of a run's models say of classes and samples. It is computed from stored logits
 * and is in no digest of a report.
 */
export interface Outcomes {
  /** The digest of all that they were computed from, so that it need not be computed again. */
  readonly source: string
  readonly classes: readonly string[]
  /** The number of seeds of the run. */
  readonly seeds: number
  /** The seeds that were read, the first ones. A large run has more. */
  readonly read: number
  /** The set of non-members that attacks distinguish the forget set from. */
  readonly nonMembers: 'test' | 'forgottenTest'
  /** The rows of the results. Gold precedes them unless it is one of them. */
  readonly rows: readonly OutcomeRowName[]
  /** One entry for each seed and row, by seed. */
  readonly models: readonly ModelOutcomes[]
  /** The models of these seeds whose logits cannot be read. */
  readonly missing: readonly { readonly label: string; readonly seed: number; readonly reason: string }[]
}

export interface OutcomeRowName {
  readonly label: string
  /** Whether these are the gold models that the models of their seeds are compared with. */
  readonly isGold: boolean
  /** Whether these are further gold models, whose distance to gold is the floor. */
  readonly isFloor: boolean
}

export interface ModelOutcomes {
  /** The label of the row. */
  readonly label: string
  /** From 0. */
  readonly seed: number
  /** By set. A set without samples is absent. */
  readonly sets: Readonly<Partial<Record<OutcomeSet, SetOutcomes>>>
  readonly attacks: readonly AttackOutcome[]
  /**
   * Margins log p/(1 − p) of the true class on the forget set, in the order of its samples, with
   * five significant digits.
   */
  readonly forgetMargins: readonly number[]
}

export const outcomeSets = [
  'retained',
  'forget',
  'test',
  'forgottenTest',
] as const satisfies readonly EvaluatedSet[]
export type OutcomeSet = (typeof outcomeSets)[number]

/** Counts of the samples of a set. */
export interface SetOutcomes {
  /** By true class. */
  readonly samples: readonly number[]
  /** Those that the model predicts correctly, by true class. */
  readonly correct: readonly number[]
  /** By true and predicted class. Absent if there are more than `MOST_CONFUSED` classes. */
  readonly confusion?: readonly (readonly number[])[]
}

export const MOST_CONFUSED = 200

/** Attacks by their scores, in the order of pages. */
export const outcomeAttacks = [...scoreNames, ...shadowAttacks, 'ruliGaussian', 'ruliKernel'] as const
export type OutcomeAttack = (typeof outcomeAttacks)[number]

const OF_PLUGIN = 'plugin:'

/** The score of a plug-in, by its label. */
export type PluginAttack = `${typeof OF_PLUGIN}${string}`
export type NamedAttack = OutcomeAttack | PluginAttack

export function pluginAttack(label: string): PluginAttack {
  return `${OF_PLUGIN}${label}`
}

export function isPluginAttack(attack: NamedAttack): attack is PluginAttack {
  return attack.startsWith(OF_PLUGIN)
}

export function pluginLabel(attack: PluginAttack): string {
  return attack.slice(OF_PLUGIN.length)
}

/**
 * An attack that calls a sample a member if its score is high. Entropies and losses have their sign
 * changed, since members have low ones.
 */
export type AttackOutcome =
  | { readonly attack: NamedAttack; readonly missing: string }
  | ({ readonly attack: NamedAttack } & AttackCurve)

/**
 * The receiver operating characteristic of an attack. Long curves are thinned; the area is that of
 * all points.
 */
export interface AttackCurve {
  readonly members: number
  readonly nonMembers: number
  /**
   * By point, ascending from 0 to all: the non-members and the members with a score of at least the
   * threshold. The first point has no threshold.
   */
  readonly falsePositives: readonly number[]
  readonly truePositives: readonly number[]
  readonly thresholds: readonly (number | null)[]
  readonly auc: number
  readonly interval?: readonly [low: number, high: number]
}
