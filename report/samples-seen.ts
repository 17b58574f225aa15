import type { Measured } from '../experiment/records/measured.ts'
import type {
  ApproximateMethodName,
  ApproximateMethodSpec,
  MethodSpecOf,
} from '../experiment/spec/methods.ts'
import { LEAVE_OUT_STEPS, REFIT_BATCH } from '../experiment/spec/rfa-refit.ts'
import type { Trained } from '../experiment/stages/train.ts'
import type { OwnParamsOf, StageMetrics } from '../experiment/stages/stage.ts'

/**
 * The number of samples that a training or a method passes forward and backward through the model:
 * a sample counts in every gradient that it is part of, also if the gradient is of some layers
 * only. Passes forward alone, such as those of a frozen teacher, are not counted.
 *
 * The numbers follow from the options and from the steps and set sizes that the stages recorded.
 * They do not depend on the machine, unlike seconds. Every batch of a run has the same size, since
 * samples at the end of an epoch that do not fill a batch are left out. Replay and SISA have
 * batches of several sizes, and record their sum.
 */

/** The sizes of the sets that the method is given, and other facts of the experiment. */
export interface SampleSets {
  readonly retained: number
  readonly forget: number
  /** The number of all classes, and of those that are forgotten. */
  readonly classes: number
  readonly forgottenClasses: number
}

/** The samples that a training saw. `samples` is the size of its training set. */
export function seenInTraining(
  { training }: Pick<Trained, 'training'>,
  { steps }: Pick<StageMetrics['train'], 'steps'>,
  samples: number,
): number {
  return steps * Math.min(training.batchSize, samples)
}

/** The samples that a method saw. Missing if its stage does not record enough to tell. */
export function seenByMethod(
  { method, training }: Pick<OwnParamsOf<'unlearn'>, 'method' | 'training'>,
  {
    steps,
    samplesUsed = { retained: 0, forget: 0 },
    replay,
    sisa,
  }: Pick<StageMetrics['unlearn'], 'steps' | 'samplesUsed' | 'replay' | 'sisa'>,
  sets: SampleSets,
): Measured {
  const count = counts[method.method] as (facts: Facts<ApproximateMethodSpec>) => number | string
  const seen = count({
    ...{ ...sets, steps, samplesUsed, method, trainingBatch: training.batchSize },
    ...(replay && { replay }),
    ...(sisa && { sisa }),
  })
  return typeof seen === 'number' ? { value: seen } : { missing: seen }
}

interface Facts<Spec extends ApproximateMethodSpec>
  extends
    SampleSets,
    Required<Pick<StageMetrics['unlearn'], 'steps' | 'samplesUsed'>>,
    Pick<StageMetrics['unlearn'], 'replay' | 'sisa'> {
  readonly method: Spec
  /** The batch size of methods that give none. */
  readonly trainingBatch: number
}

const UNKNOWN_BATCHES = 'the stage does not record the sizes of its batches'

type Count<N extends ApproximateMethodName> = (facts: Facts<MethodSpecOf<N>>) => number | string

/** The samples of a batch that is drawn from so many. */
const batch = (size: number, samples: number) => Math.min(size, samples)

/** The samples of one epoch in whole batches. */
const pass = (size: number, samples: number) =>
  batch(size, samples) * Math.floor(samples / batch(size, samples))

interface TrainedByEpochs {
  readonly steps: number
  readonly method: { readonly batchSize?: number | undefined }
  readonly trainingBatch: number
}

/** Steps with one batch each, from a set of so many samples. */
const stepsOn = ({ steps, method, trainingBatch }: TrainedByEpochs, samples: number) =>
  steps * batch(method.batchSize ?? trainingBatch, samples)

const onRetained = (facts: TrainedByEpochs & SampleSets) => stepsOn(facts, facts.retained)
const onForget = (facts: TrainedByEpochs & SampleSets) => stepsOn(facts, facts.forget)
const onBoth = (facts: TrainedByEpochs & SampleSets) => stepsOn(facts, facts.retained + facts.forget)
/** Steps with a batch of each set. */
const onEach = (facts: TrainedByEpochs & SampleSets) => onRetained(facts) + onForget(facts)

/** The count of each method, or the reason why there is none. */
const counts: { readonly [N in ApproximateMethodName]: Count<N> } = {
  replay: ({ replay }) => replay?.samples ?? UNKNOWN_BATCHES,
  sisa: ({ sisa }) => sisa?.samples ?? UNKNOWN_BATCHES,
  finetune: onRetained,
  'random-label': onBoth,
  'gradient-ascent': onForget,
  'neggrad-plus': onEach,
  'l1-sparse': onRetained,
  'bad-teacher': (facts) => stepsOn(facts, facts.samplesUsed.retained + facts.samplesUsed.forget),
  scrub: ({ method: { epochs, maxEpochs, batchSize, forgetBatch }, retained, forget }) => {
    return epochs * pass(batchSize, retained) + Math.min(epochs, maxEpochs) * pass(forgetBatch, forget)
  },
  // The search for the nearest class takes one gradient of each sample.
  'boundary-shrink': (facts) => onForget(facts) + facts.forget,
  'boundary-expand': onForget,
  // Images of noise count as samples.
  unsir: ({ method, samplesUsed, forgottenClasses }) => {
    const { batchSize, noiseSteps, noiseBatches, impairEpochs, repairEpochs } = method
    const noise = forgottenClasses * batchSize
    const impaired = samplesUsed.retained + noise * noiseBatches
    return (
      noiseSteps * noise +
      impairEpochs * pass(batchSize, impaired) +
      repairEpochs * pass(batchSize, samplesUsed.retained)
    )
  },
  // The mask takes one gradient of each sample of the forget set.
  salun: (facts) => onBoth(facts) + facts.forget,
  delete: onForget,
  ct: onRetained,
  // The mask takes gradients of the forget set and of as many retained samples.
  msg: (facts) => onRetained(facts) + Math.min(facts.forget, facts.retained) + facts.forget,
  // The mask takes one gradient of each sample.
  'sfr-on': ({ method: { iterations, every, batchSize }, retained, forget }) =>
    iterations * batch(batchSize, retained) +
    Math.ceil(iterations / every) * batch(batchSize, forget) +
    retained +
    forget,
  amun: () => 'the steps of its search for adversarial examples are not recorded',
  'cf-k': onRetained,
  'eu-k': onRetained,
  ssd: ({ method, retained, forget }) => retained + (method.importance === 'all' ? 2 : 1) * forget,
  // Prototypes and probes need no gradient.
  damp: () => 0,
  // One gradient for each class.
  fisher: ({ samplesUsed, classes }) => samplesUsed.retained * classes,
  influence: ({ method, retained, forget }) => retained + forget + Math.min(method.samples, retained),
  plugin: ({ method }) => `the plug-in ${method.plugin.name} does not record it`,
  'lora-random-label': onBoth,
  'lora-neggrad-plus': onEach,
  rfa: ({ method, steps, samplesUsed: { retained, forget }, trainingBatch }) => {
    const { retainedBatch, forgetBatch, refitEpochs, target } = method
    if (target === 'leave-out-top') return steps * batch(trainingBatch, retained)
    const aligned = steps * (batch(retainedBatch, retained) + batch(forgetBatch, forget))
    const size = batch(REFIT_BATCH, retained)
    const refitSteps = Math.max(1, Math.round((refitEpochs ?? 0) * Math.floor(retained / size)))
    const refit = refitEpochs === undefined ? 0 : size * refitSteps
    return aligned + refit + (target === 'leave-out' ? LEAVE_OUT_STEPS * retained : 0)
  },
}
