import { expectedSamples, forgetSize, setSizes, sum } from '../spec/sets.ts'
import type { TrainingSpec } from '../spec/training.ts'
import type { Plan } from './types.ts'
import { keptSteps, trainingSteps, type TrainingSteps } from './training-steps.ts'

/** What a deletion by `replay` costs, before anything is computed. */
export interface ReplayCost {
  /** The number of steps of the whole training. */
  readonly steps: number
  /** The numbers of steps after which a state is kept. */
  readonly keptSteps: readonly number[]
  /**
   * The share of the steps that a deletion is expected to repeat: for as many samples as the
   * experiment forgets (absent if their number is not known yet), and for one sample. All are drawn
   * at random.
   */
  readonly expectedShare: { readonly forgetSet?: number; readonly oneSample: number }
}

/**
 * The expected cost of `replay`. The expectation is over the order of the samples, which is a
 * random draw. Undefined if the plan has no row of that method.
 */
export function replayCost(plan: Plan): ReplayCost | undefined {
  const { params } = plan.original
  if (!plan.candidates.some(({ method }) => method === 'replay') || !('training' in params)) return undefined
  const { training } = params
  const { data, facts } = plan.dataset.params
  const { split } = plan.split.params
  const samples = setSizes(data, facts).train
  const steps = trainingSteps(training, samples)
  const kept = keptSteps(steps, training.replay?.checkpoints ?? 0)
  const { order } = training
  const late = order?.classes
    ? expectedSamples({ kind: 'class', classes: order.classes }, samples, facts)
    : (order?.indices?.length ?? samples)
  const forgotten = forgetSize(split, data, facts)
  const unread = (count: number) => (step: number) =>
    shareUnread(count, samples, Math.min(training.batchSize, samples) * (step - steps.lateFrom))
  const areAllLate = !order || areLate(order, plan, sum(facts.train))
  return {
    steps: steps.steps,
    keptSteps: kept,
    expectedShare: {
      ...(forgotten !== undefined && {
        forgetSet: repeatedShare(steps, kept, areAllLate ? unread(forgotten) : () => 0),
      }),
      oneSample: repeatedShare(steps, kept, (step) => (late / samples) * unread(1)(step)),
    },
  }
}

/**
 * The share of the steps after the last state without influence. `unread` is the probability that
 * no forgotten sample is read in the steps before a state.
 */
function repeatedShare(
  { steps }: TrainingSteps,
  kept: readonly number[],
  unread: (step: number) => number,
): number {
  const saved = kept.reduce((total, step, i) => total + (step - (kept[i - 1] ?? 0)) * unread(step), 0)
  return 1 - saved / steps
}

/** The probability that none of `count` samples is among the first `read` ones in random order. */
export function shareUnread(count: number, samples: number, read: number): number {
  if (count > samples - read) return 0
  return Array.from({ length: count }).reduce<number>(
    (product, _, i) => product * ((samples - read - i) / (samples - i)),
    1,
  )
}

/** Whether all forgotten samples are known to come late. */
function areLate(
  order: NonNullable<TrainingSpec['order']>,
  { split, dataset }: Plan,
  samples: number,
): boolean {
  const { split: forgotten } = split.params
  const { facts } = dataset.params
  if (order.classes && 'classes' in forgotten) {
    const count = (classes: readonly (number | string)[]) =>
      expectedSamples({ kind: 'class', classes: [...classes] }, samples, facts)
    const both = [...new Set([...order.classes, ...forgotten.classes])]
    return count(both) === count(order.classes)
  }
  if (order.indices && forgotten.kind === 'indices') {
    const late = new Set(order.indices)
    return (forgotten.indices ?? []).every((i) => late.has(i))
  }
  return false
}
