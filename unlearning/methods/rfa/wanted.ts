import type { Rank, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { NamedTensors } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { featuresOnDemand } from './features-on-demand.ts'
import { leaveOut } from './leave-out.ts'
import type { RfaProblem } from './problem.ts'
import { refit } from './refit.ts'
import { targets, type Target, type TargetFunction } from './targets.ts'
import { penultimateOf, type Teacher } from './teacher.ts'

/** The features that the student is trained to have. */
export interface WantedFeatures {
  /** f_l of D_r by layer, [n_r, ...]. */
  readonly retained: NamedTensors
  /** t_l of D_f. */
  readonly forget: Target
}

/** Computes the target that the option `target` names. */
export function wantedFeatures(problem: RfaProblem, teacher: Teacher): Promise<WantedFeatures> {
  const { target } = problem.method
  switch (target) {
    case 'leave-out':
      return leaveOutFeatures(problem, teacher)
    case 'leave-out-top':
      throw new Error('the target leave-out-top is solved for without this loss (leave-out-top.ts)')
    default:
      return fixedFeatures(problem, teacher, targetFunction(problem))
  }
}

function targetFunction({ method: { target }, target: given }: RfaProblem): TargetFunction<void> {
  if (target === 'leave-out' || target === 'leave-out-top')
    throw new RangeError(`the target ${target} is no function of features`)
  if (typeof target === 'string') return targets[target]
  if (!given) throw new Error(`the target of the plug-in ${target.plugin.name} was not loaded`)
  return given
}

async function leaveOutFeatures(problem: RfaProblem, teacher: Teacher): Promise<WantedFeatures> {
  const { labels, logits, host } = problem
  const { features } = teacher.retained
  const weight = teacher.parameters[`${logits}.weight`] as Tensor2D
  const bias = teacher.parameters[`${logits}.bias`] as Tensor1D | undefined
  const left = await leaveOut(
    { features, penultimate: penultimateOf(problem, teacher.retained), labels: labels.retained },
    { penultimate: penultimateOf(problem, teacher.forget) },
    {
      name: logits,
      weight,
      // A head without a bias has a bias of 0.
      bias: bias ?? tf.zeros<Rank.R1>([weight.shape[1]]),
    },
    host,
  )
  return { retained: { ...features, [logits]: left.logits }, forget: left.target }
}

async function fixedFeatures(
  problem: RfaProblem,
  teacher: Teacher,
  target: TargetFunction<void>,
): Promise<WantedFeatures> {
  const { method, layers, data, samples, labels, logits, capture, to, seed, host } = problem
  const { features } = teacher.retained
  const material = {
    logits,
    features,
    retainedLabels: labels.retained,
    forgetLabels: labels.forget,
    forgetLogits: (await (teacher.forget.features[logits] as Tensor).data()) as Float32Array,
    classes: data.classes,
    validationLabels: labels.validation,
    refit:
      method.refitEpochs === undefined ? undefined : await refitLogits(problem, teacher, method.refitEpochs),
    samples,
    onDemand: featuresOnDemand(layers, teacher.parameters, data, { to, capture, host }),
    host,
  }
  return { retained: features, forget: await target(material, stream(seed, 'rfa', 'targets')) }
}

/**
 * Trains the layers from `from` on from random weights on D_r alone. Returns their logits,
 * [n, classes] row-major.
 */
async function refitLogits(
  { layers, labels, from, seed, host }: RfaProblem,
  teacher: Teacher,
  epochs: number,
): Promise<Readonly<Record<'forget' | 'validation', Float32Array>>> {
  const retained = { input: teacher.retained.input, labels: labels.retained }
  const top = await refit(layers.slice(from), retained, { epochs, seed, host })
  const validationInput = await teacher.validationInput()
  const forget = await top.logits(teacher.forget.input)
  const validation = await top.logits(validationInput)
  top.dispose()
  return { forget, validation }
}
