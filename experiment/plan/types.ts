import type { RowSpec } from '../spec/methods.ts'
import type { RequestedStages } from '../stages/requested.ts'
import type { StageOf, StageRef } from '../stages/stage.ts'

/** The stages of one experiment: those that all seeds share, beside those of the first seed. */
export interface Plan extends SeedPlan {
  readonly dataset: StageOf<'dataset'>
  /**
   * The pre-trained weights from which every trained model starts. Absent if models start from new
   * weights.
   */
  readonly checkpoint?: StageOf<'checkpoint'>
  /**
   * The files of models from elsewhere that all seeds need: the original, gold models, and the
   * checkpoint of gold's own training. Absent if there are none.
   */
  readonly given?: readonly StageOf<'checkpoint'>[]
  /** The files of the external programs. Absent if there are none. */
  readonly programs?: readonly StageOf<'program'>[]
  /** The original's outputs on every training sample. Present if the split depends on them. */
  readonly ranking?: StageOf<'evaluate'>
  readonly split: StageOf<'split'>
  /** The choice of options of the rows that are tuned. Absent if there are none. */
  readonly tuning?: TuningPlan
  /** The other seeds. Absent if there is one seed. */
  readonly seeds?: readonly SeedPlan[]
  /**
   * The comparison of all seeds' models with their gold models, for each row but gold's own. Absent
   * if there are too few seeds.
   */
  readonly population?: readonly Population[]
  /**
   * The shadow models for the attacks on the models of every seed. Absent if the config asks for
   * none.
   */
  readonly shadow?: ShadowPlan
}

export interface TuningPlan {
  readonly seeds: readonly TuningSeed[]
  readonly rows: readonly TunedRow[]
}

/** The model and the split of one tuning seed, which the comparison does not use. */
export interface TuningSeed {
  readonly original: StageOf<'train'>
  /** Present if the split depends on the original's outputs. */
  readonly ranking?: StageOf<'evaluate'>
  readonly split: StageOf<'split'>
  readonly originalEvaluation: StageOf<'evaluate'>
}

/** The trials of one row. All seeds of the comparison take the options that they choose. */
export interface TunedRow {
  /** The label of the row. */
  readonly label: string
  /** One round for each tuning seed, in their order. */
  readonly rounds: readonly TuningRound[]
}

export interface TuningRound {
  readonly trials: readonly StageOf<'trial'>[]
  readonly ranking: StageOf<'tune'>
}

/**
 * One pool of shadow models for all attacks. Their training depends on no split and no method, and
 * on no seed but the first training seed.
 */
export interface ShadowPlan {
  readonly models: readonly StageOf<'shadow'>[]
  readonly pool: StageOf<'pool'>
}

export interface Population {
  /** The label of the row. */
  readonly label: string
  readonly stage: StageOf<'population'>
}

/** The stages of one training seed and one unlearning seed. */
export interface SeedPlan {
  readonly original: StageOf<'train'>
  /**
   * The first gold model is the reference for every row. The others, of other seeds, give the
   * floor. Empty in an experiment without gold.
   */
  readonly gold: readonly StageOf<'train'>[]
  /**
   * The judgement of the first gold model. It exists whether or not gold is a row of the table.
   * Absent in an experiment without gold.
   */
  readonly reference?: JudgingStages
  /** Absent in plans of older versions, and if an external program trains the models. */
  readonly twin?: Twin
  /**
   * The evaluation of the original. Present if a requested stage or the validation gap depends on
   * it. A candidate may have the same stage.
   */
  readonly originalEvaluation?: StageOf<'evaluate'>
  readonly candidates: readonly Candidate[]
  /** The further gold models, judged like methods: their gaps show how much equal models differ. */
  readonly floor: readonly Candidate[]
}

/** An untrained model with other initial weights than any trained model. */
export interface Twin {
  readonly model: StageOf<'train'>
  readonly evaluate: StageOf<'evaluate'>
}

/** The stages that make a model from files of elsewhere. */
export interface GivenStages {
  readonly checkpoint: StageOf<'checkpoint'>
  readonly model: StageOf<'train'>
}

/** The stages that judge one model. */
export interface JudgingStages extends RequestedStages {
  readonly evaluate: StageOf<'evaluate'>
  readonly attack: StageOf<'attack'>
  /** Absent if there are no shadow models. */
  readonly membership?: StageOf<'membership'>
}

/** A model that is a row of the table: a method's, the original, or a gold model. */
export interface Candidate extends JudgingStages {
  /** The name of the row. */
  readonly label: string
  readonly method: RowSpec['method']
  /** Absent if the model is a trained one: the original or a gold model. */
  readonly unlearn?: StageOf<'unlearn'>
  /** Present if the model of the row was made elsewhere. */
  readonly given?: GivenStages
  readonly model: StageRef<'train' | 'unlearn'>
  readonly compare: StageOf<'compare'>
}
