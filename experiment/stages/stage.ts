import { digestOf } from '../../common/canonical.ts'
import type { CheckpointFacts } from '../models/pretrained.ts'
import type { ApproximateMethodSpec, OptimizerSpec } from '../spec/methods.ts'
import type { DataSpec, ModelSpec, ProbeSpec, RelearnSpec, SplitSpec, TrainingSpec } from '../spec/spec.ts'
import type { DatasetFacts } from '../spec/dataset.ts'

/**
 * A stage is one unit of work whose result is kept: its kind, the version of its code, its own
 * parameters and the keys of its inputs. The key is the SHA-256 of all that and, where the code
 * differs from the lock, of the code's digest.
 */

export interface StageParams {
  /** Reads the data set, cuts off test and validation samples, publishes pixels, labels and the partition. */
  readonly dataset: { readonly data: DataSpec; readonly facts: DatasetFacts; readonly seed: number }
  /** Cuts the training set into forget and retained set, and the test set into halves. */
  readonly split: { readonly split: SplitSpec; readonly seed: number }
  /** Reads a pre-trained checkpoint, and publishes its weights. */
  readonly checkpoint: { readonly checkpoint: CheckpointFacts }
  /** Trains a model from new or pre-trained weights on all training samples (original), on the retained set (gold) or on nothing at all (twin). */
  readonly train: {
    readonly on: 'all' | 'retained' | 'nothing'
    readonly model: ModelSpec
    readonly training: TrainingSpec
    readonly seed: number
  }
  /** Makes an unlearned model from the original one. */
  readonly unlearn: {
    readonly method: ApproximateMethodSpec
    readonly model: ModelSpec
    readonly training: TrainingSpec
    readonly seed: number
  }
  /** Logits of one model on every set; before there is a split, on all training samples. */
  readonly evaluate: { readonly model: ModelSpec; readonly batchSize: number }
  /** Membership inference against one model, from its logits. */
  readonly attack: { readonly samples: number; readonly seed: number }
  /** Distances of one model to the gold model and the untrained twin, from logits and attacks. */
  readonly compare: Record<never, never>
  /** Distances between one method's models of all seeds and as many gold ones, from their logits. */
  readonly population: Record<never, never>
  /** Trains a shadow model from scratch on a half of all samples, training samples or not, and takes its φ of every sample. */
  readonly shadow: {
    readonly model: ModelSpec
    readonly training: TrainingSpec
    readonly seed: number
    /** From 0. The models 2k and 2k + 1 have complementary halves. */
    readonly index: number
  }
  /** Puts the φ of all shadow models side by side. */
  readonly pool: Record<never, never>
  /** LiRA and RMIA against one model, from its logits and the pool; the seed draws from the retained set. */
  readonly membership: { readonly seed: number }
  /** Fine-tunes one model on the forget set alone, until it knows that set about as well as the original does. */
  readonly relearn: {
    readonly relearn: RelearnSpec & { readonly optimizer: OptimizerSpec }
    readonly model: ModelSpec
    /** The training's. */
    readonly augment: TrainingSpec['augment']
    readonly seed: number
  }
  /** Linear probes of one model's features, and how alike these and gold's are; the seed draws samples. */
  readonly probe: { readonly probe: ProbeSpec; readonly model: ModelSpec; readonly seed: number }
}

export type StageKind = keyof StageParams

/**
 * Names of the inputs of each kind of stage. `split` is absent where a model trains on everything, or is evaluated on it;
 * `checkpoint` where it starts from new weights;
 * `ranking`, an evaluation of the latter kind, is there for splits that are made by it.
 */
export interface StageInputs {
  readonly dataset: Record<never, never>
  readonly split: { readonly dataset: StageRef; readonly ranking?: StageRef }
  readonly checkpoint: Record<never, never>
  readonly train: { readonly dataset: StageRef; readonly split?: StageRef; readonly checkpoint?: StageRef }
  readonly unlearn: { readonly dataset: StageRef; readonly split: StageRef; readonly original: StageRef }
  readonly evaluate: { readonly dataset: StageRef; readonly split?: StageRef; readonly model: StageRef }
  readonly attack: { readonly split: StageRef; readonly evaluation: StageRef }
  readonly compare: {
    readonly evaluation: StageRef
    readonly attack: StageRef
    readonly goldEvaluation: StageRef
    readonly goldAttack: StageRef
    readonly twinEvaluation: StageRef
    /** Where there are validation samples. */
    readonly originalEvaluation?: StageRef
  }
  /** Evaluations: of each seed, counted from 1, the model at hand and the gold one. */
  readonly population: Readonly<Record<`unlearned${number}` | `gold${number}`, StageRef>>
  readonly shadow: { readonly dataset: StageRef; readonly checkpoint?: StageRef }
  /** Counted from 1. */
  readonly pool: Readonly<Record<`shadow${number}`, StageRef>>
  readonly membership: { readonly split: StageRef; readonly evaluation: StageRef; readonly pool: StageRef }
  readonly relearn: {
    readonly dataset: StageRef
    readonly split: StageRef
    readonly model: StageRef
    readonly originalEvaluation: StageRef
  }
  readonly probe: {
    readonly dataset: StageRef
    readonly split: StageRef
    readonly model: StageRef
    readonly goldModel: StageRef
  }
}

export interface StageRef {
  readonly kind: StageKind
  readonly key: string
}

export interface StageOf<K extends StageKind> {
  readonly kind: K
  readonly key: string
  /** The version that the lock gives the code (experiment/stages/code.ts). */
  readonly version: number
  /** The digest of the code that computes the stage. Absent where that code is the locked one. */
  readonly code?: string
  /** For people: what the progress display and the logs call it. Not part of the key. */
  readonly title: string
  readonly params: StageParams[K]
  readonly inputs: StageInputs[K]
}

export type Stage = { [K in StageKind]: StageOf<K> }[StageKind]

const all: Readonly<Record<StageKind, true>> = {
  dataset: true,
  split: true,
  checkpoint: true,
  train: true,
  unlearn: true,
  evaluate: true,
  attack: true,
  compare: true,
  population: true,
  shadow: true,
  pool: true,
  membership: true,
  relearn: true,
  probe: true,
}

export const stageKinds = Object.keys(all) as readonly StageKind[]

/** The key of a stage. Code that agrees with the lock adds nothing to it. */
export function keyOf({
  kind,
  version,
  params,
  inputs,
  code,
}: Omit<StageOf<StageKind>, 'key' | 'title'>): string {
  return digestOf({ kind, version, params, inputs, ...(code !== undefined && { code }) })
}

/** The kinds of stage that compute on TensorFlow. */
export const onDevice: ReadonlySet<StageKind> = new Set([
  'train',
  'unlearn',
  'evaluate',
  'shadow',
  'relearn',
  'probe',
])
