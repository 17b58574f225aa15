import { digestOf } from '../../common/canonical.ts'
import type { ClassifierName, ScoreName } from '../spec/spec.ts'
import type { StageInputs, StageKind, StageParams } from '../stages/stage.ts'

/**
 * A manifest is what a finished stage leaves: written last, whole, and never changed. What was computed and what a
 * clock or a host decided stand apart: `clock` is not in the digest.
 */
export interface ManifestOf<K extends StageKind> {
  readonly kind: K
  readonly key: string
  readonly version: number
  /** The digest of the code, where it was not the locked one. */
  readonly code?: string
  readonly params: StageParams[K]
  readonly inputs: StageInputs[K]
  /** Digests of the input manifests (their computed part), by input name. */
  readonly inputDigests: Readonly<Record<string, string>>
  readonly outputs: Readonly<Record<string, BlobRef>>
  readonly metrics: StageMetrics[K]
  readonly clock: Clock
}

export type Manifest = { [K in StageKind]: ManifestOf<K> }[StageKind]

export interface BlobRef {
  readonly sha256: string
  readonly bytes: number
}

export interface Clock {
  /** Wall seconds of the stage's own work, without reading inputs and writing outputs; preparation included. */
  readonly seconds: number
  /** ISO 8601. */
  readonly finishedAt: string
  /** What else the machine did meanwhile. Absent in manifests of older versions. */
  readonly otherWork?: OtherWork
  readonly environment: Environment
}

/** Other work while a stage was timed. Its wall seconds say little where there was much of it. */
export interface OtherWork {
  /** Processor seconds that other processes of the machine took. */
  readonly processes: number
  /** Wall seconds during which the same worker computed another stage as well. */
  readonly stages: number
}

export interface Environment {
  readonly zeroshift: string
  readonly node: string
  readonly platform: string
  /** Processors that the worker could use. Absent in manifests of older versions. */
  readonly processors?: number
  /** The processor's name, where the system gives it: TensorFlow's kernels are not the same on all. */
  readonly processor?: string
  /** Present where the stage used TensorFlow. */
  readonly tensorflow?: TensorFlowEnvironment
}

export interface TensorFlowEnvironment {
  readonly version: string
  readonly device: 'CPU' | 'GPU'
  /** The GPU's model. */
  readonly gpu?: string
  readonly threads: number
  /** Whether oneDNN's kernels were in use, which give other bytes. Absent on a GPU and in older manifests. */
  readonly oneDnn?: boolean
  /**
   * Into how many parts each batch was cut, where memory was not enough for it as a whole: the same within float error, but that batch
   * norms saw a part each.
   */
  readonly batchParts?: number
}

/** The digest of what was computed: equal between two runs of the same stage on the same device and threads. */
export function manifestDigest({ clock: _, ...computed }: Manifest): string {
  return digestOf(computed)
}

/** A figure, or the reason why there is none. Never 0 for "could not be computed". */
export type Measured = { readonly value: number } | { readonly missing: string }

/** A figure with its 95% interval, where it has one. */
export type Estimate =
  | { readonly value: number; readonly interval?: readonly [low: number, high: number] }
  | { readonly missing: string }

export interface CurvePoint {
  /** Optimizer steps done, counted from 1. */
  readonly step: number
  readonly loss: number
  readonly learningRate: number
}

/** Accuracy in percent after a step: on the forget set, and what it would be there if no sample of it had been seen. */
export interface Look {
  readonly step: number
  readonly forget: number
  readonly unseen: number
}

/** Mean squared residual per feature relative to the frozen feature's mean square, averaged over the aligned layers. */
export interface ResidualPoint {
  readonly step: number
  /** ‖r‖² on retained samples: stays near 0. */
  readonly retained: number
  /** ‖f + r − t‖² on forget samples: falls towards 0. */
  readonly forget: number
}

export interface StageMetrics {
  readonly dataset: { readonly train: number; readonly validation: number; readonly test: number }
  readonly split: {
    readonly retained: number
    readonly forget: number
    readonly validation: number
    /** D_t without forgotten classes, cut in two: one half trains attacks, the other is scored. */
    readonly attackTest: number
    readonly test: number
    /** Test samples of forgotten classes; 0 unless whole classes are forgotten. */
    readonly forgottenTest: number
    /** Indices of wholly forgotten classes. */
    readonly forgottenClasses: readonly number[]
  }
  readonly checkpoint: { readonly parameters: number }
  readonly train: {
    readonly parameters: number
    readonly steps: number
    readonly curve: readonly CurvePoint[]
  }
  readonly unlearn: {
    readonly trainable: number
    readonly steps: number
    /** Distinct training samples that were used, of each set. */
    readonly samplesUsed: { readonly retained: number; readonly forget: number }
    readonly curve: readonly CurvePoint[]
    /** Residual feature alignment only. */
    readonly residuals?: readonly ResidualPoint[]
    /** What a stopping rule saw, where there is one. */
    readonly looks?: readonly Look[]
  }
  readonly evaluate: {
    /** In percent, by set. */
    readonly accuracy: Readonly<Record<EvaluatedSet, Measured>>
    /** Samples by confidence in the true class, in 20 equal bins from 0 to 1. */
    readonly confidence: Readonly<Record<'retained' | 'forget' | 'test', readonly number[]>>
  }
  readonly attack: {
    /** Percent of D_f called non-member, by classifier and score. */
    readonly efficacy: Readonly<Record<ClassifierName, Readonly<Record<ScoreName, Measured>>>>
    /** The attack's own balanced accuracy in percent, on members and non-members that did not train it. */
    readonly accuracy: Readonly<Record<ClassifierName, Readonly<Record<ScoreName, Measured>>>>
    readonly members: number
    readonly nonMembers: number
  }
  readonly compare: {
    /** RA, TA, UA = 100 − FA and MIA-efficacy (confidence, svm), in percent. */
    readonly ra: Measured
    readonly ta: Measured
    readonly ua: Measured
    readonly mia: Measured
    /** Mean absolute difference of the four to gold, in points. */
    readonly averageGap: Measured
    /** Tug of war, in [0, 1]; 1 is gold. */
    readonly tow: Measured
    /** Mean ‖softmax θ_u(x) − softmax θ_g(x)‖₂. */
    readonly activationDistance: Readonly<Record<'forget' | 'retained', Measured>>
    /** Mean Jensen-Shannon divergence to gold on D_f, in bits. */
    readonly jsDivergence: Measured
    /** 1 − mean Jensen-Shannon divergence to an untrained twin on D_f, in bits. */
    readonly zrf: Measured
    /** In points; missing where no samples are set apart for validation. */
    readonly validationGap: Measured
  }
  readonly population: {
    /** Models of each kind. */
    readonly models: number
    /** Accuracy in percent of telling unlearned models from gold by a sample of D_f; 50 is ideal. */
    readonly uLira: Estimate
    /** The same of the unlearned and the gold model of each seed. Absent where it is missing as a whole. */
    readonly uLiraBySeed?: readonly number[]
    /** KL divergence of margins to gold, in nats: mean and 95th percentile over the samples. */
    readonly klom: Readonly<
      Record<'forget' | 'retained' | 'test', { readonly mean: Measured; readonly percentile95: Measured }>
    >
    /** F of the NeurIPS 2023 challenge in [0, 1], and F times the ratios of RA and TA to gold's. */
    readonly forgettingQuality: { readonly forgetting: Measured; readonly score: Measured }
  }
  readonly shadow: {
    readonly parameters: number
    readonly steps: number
    readonly curve: readonly CurvePoint[]
    /** Samples that it trained on, of how many. */
    readonly members: number
    readonly samples: number
  }
  readonly pool: { readonly models: number; readonly samples: number }
  readonly relearn: {
    /** Steps of fine-tuning on the forget set until its accuracy is `wanted`. */
    readonly steps: Measured
    /** In percent: 5 points below the original's. Absent where the original's is missing. */
    readonly wanted?: number
    /** Forget samples on which accuracy was taken. */
    readonly samples: number
    readonly curve: readonly RelearnPoint[]
  }
  readonly probe: {
    /** Samples that trained the probes and that tested them, and how many of each set CKA compares. */
    readonly trained: number
    readonly tested: number
    readonly compared: Readonly<Record<'forget' | 'retained', number>>
    /** In forward order. */
    readonly layers: readonly ProbedLayer[]
  }
  readonly membership: {
    readonly models: number
    /** LiRA's: one for all samples where a few models cannot tell each sample's own. */
    readonly variance: 'per-sample' | 'pooled'
    readonly sets: Readonly<Record<ShadowedSet, ShadowAttacked>>
  }
}

/** Accuracy in percent on the forget set after so many steps. */
export interface RelearnPoint {
  readonly step: number
  readonly accuracy: number
}

/** What one layer's features tell. */
export interface ProbedLayer {
  readonly name: string
  /** Their number; a convolution has one a channel. */
  readonly features: number
  /** Percent of forget samples whose class a linear probe recognises. */
  readonly accuracy: Measured
  /** Linear CKA to gold's features, in [0, 1]. */
  readonly cka: Readonly<Record<'forget' | 'retained', Measured>>
}

/** Whose members an attack by shadow models is to find: to find those of D_f is to see through the unlearning, to find those of D_r what it exposed. */
export const shadowedSets = ['forget', 'retained'] as const
export type ShadowedSet = (typeof shadowedSets)[number]
export const shadowAttacks = ['lira', 'liraOffline', 'rmia'] as const
export type ShadowAttack = (typeof shadowAttacks)[number]
/** Area under the ROC curve, and true-positive rate at a false-positive rate of 1% and of 0.1%. */
export const shadowFigures = ['auc', 'tprAt1', 'tprAt01'] as const
export type ShadowFigure = (typeof shadowFigures)[number]

export interface ShadowAttacked {
  /** Samples of the set, and test samples that none but shadow models trained on. */
  readonly members: number
  readonly nonMembers: number
  /** In [0, 1]. An AUC of 0.5 is chance. */
  readonly attacks: Readonly<Record<ShadowAttack, Readonly<Record<ShadowFigure, Estimate>>>>
}

export const evaluatedSets = [
  'retained',
  'forget',
  'validation',
  'attackTest',
  'test',
  'forgottenTest',
] as const
export type EvaluatedSet = (typeof evaluatedSets)[number]
