import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { MathError } from '../../../common/errors.ts'
import type { FixedTargetName } from '../../../experiment/spec/target.ts'
import type { Host } from '../../../learning/training/host.ts'
import { rowsAt } from '../../../learning/model/kernels.ts'
import type { NamedTensors } from '../../../learning/model/parameters.ts'
import type { RandomStream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import type { FeaturesOnDemand } from './features-on-demand.ts'
import { nearestOfClass } from './neighbours.ts'
import { unseenMargins } from './unseen-margins.ts'

/** The outputs of the frozen model from which targets are computed. */
export interface TargetMaterial {
  /** The name of the last layer. */
  readonly logits: string
  /** f_l of the retained samples by layer, each [n_r, ...]. */
  readonly features: NamedTensors
  readonly retainedLabels: Int32Array
  readonly forgetLabels: Int32Array
  /** Logits of the forget samples, [n_f, classes] row-major. */
  readonly forgetLogits: Float32Array
  readonly classes: number
  /** Labels of samples that no model trained on. */
  readonly validationLabels: Int32Array
  /**
   * Logits of layers that were refit without D_f, [n, classes] row-major, if the option asks for
   * them (./refit.ts).
   */
  readonly refit?: Readonly<Record<'forget' | 'validation', Float32Array>> | undefined
  /** The sample indices of the labels, in the same order. */
  readonly samples: Readonly<Record<'retained' | 'forget' | 'validation', Int32Array>>
  /** Features that only some targets need. */
  readonly onDemand: FeaturesOnDemand
  readonly host?: Host | undefined
}

/**
 * t_l for a batch of forget samples at these positions in D_f. Its shape broadcasts against h_l.
 */
export type Target = (layer: string, positions: Tensor1D) => Tensor

/** Computes a target. A built-in target has no options. */
export type TargetFunction<Options> = (
  teacher: TargetMaterial,
  random: RandomStream,
  options: Options,
) => Target | Promise<Target>

/**
 * Targets by name, except `leave-out`, which also changes the wanted logits of D_r
 * (./leave-out.ts). A target computes once what its batches share. Its tensors live until the
 * enclosing scope ends.
 */
export const targets: Readonly<Record<FixedTargetName, TargetFunction<void>>> = {
  /** The mean of f_l over D_r: every forgotten sample should look like the average sample. */
  'retained-mean': ({ features }) => {
    const means = mapTensors(features, (feature) => feature.mean(0, true))
    return (layer) => at(means, layer)
  },

  /** f_l of a retained sample, drawn once for each forget sample. */
  'random-retained': ({ features, retainedLabels, forgetLabels }, random) => {
    const partners = forgetLabels.map(() => random.integer(retainedLabels.length))
    return partnersIn(features, partners)
  },

  /**
   * The centroid of f_l over the retained samples of the class that the teacher ranks next best for
   * x.
   */
  'nearest-centroid': (teacher) => {
    const { features, retainedLabels, classes } = teacher
    const nextBest = tf.tensor1d(nextBestClasses(teacher, 'nearest-centroid'), 'int32')
    const centroids = centroidsOf(features, retainedLabels, classes)
    return (layer, positions) => rowsAt(at(centroids, layer), rowsAt(nextBest, positions))
  },

  /**
   * f_l of the retained sample of that class whose input of the last layer is nearest to that of x.
   */
  'nearest-retained': async (teacher) => {
    const { features, retainedLabels, samples, onDemand, host } = teacher
    const classes = nextBestClasses(teacher, 'nearest-retained')
    const here = await onDemand.penultimate(samples.forget)
    const there = await onDemand.penultimate(samples.retained)
    const nearest = await nearestOfClass({ at: here, classes }, { at: there, classes: retainedLabels }, host)
    tf.dispose([here, there])
    return partnersIn(features, nearest)
  },

  /**
   * f_l of the validation sample of the same class whose input of the last layer is nearest to that
   * of x. These are features of a sample that the frozen model was not trained on.
   */
  'unseen-neighbour': async (teacher) => {
    const { forgetLabels, validationLabels, samples, onDemand, host } = teacher
    checkUnseen(teacher, 'unseen-neighbour')
    const here = await onDemand.penultimate(samples.forget)
    const there = await onDemand.penultimate(samples.validation)
    const nearest = await nearestOfClass(
      { at: here, classes: forgetLabels },
      { at: there, classes: validationLabels },
      host,
    )
    tf.dispose([here, there])
    const used = Int32Array.from(new Set(nearest)).sort()
    const place = new Map([...used].map((position, i) => [position, i]))
    const features = await onDemand.frozen(used.map((position) => samples.validation[position] ?? 0))
    return partnersIn(
      features,
      nearest.map((position) => place.get(position) ?? 0),
    )
  },

  /**
   * The logits of x with the margins of validation samples of the same classes
   * (./unseen-margins.ts). The frozen model is as confident and as accurate on such samples as on
   * any that it was not trained on. This target is for logits only. If layers were refit without
   * D_f, both kinds of logits are first averaged with theirs, which are better at telling which
   * samples of D_f are hard.
   */
  'unseen-margin': async (teacher) => {
    const { logits, forgetLabels, forgetLogits, classes, validationLabels, samples, onDemand } = teacher
    checkUnseen(teacher, 'unseen-margin')
    const features = await onDemand.frozen(samples.validation)
    const validationLogits = (await at(features, logits).data()) as Float32Array
    tf.dispose(features)
    const present = new Set(forgetLabels)
    const unseen = Int32Array.from(validationLabels.keys()).filter((i) =>
      present.has(validationLabels[i] ?? -1),
    )
    const averaged = (own: Float32Array, other: Float32Array | undefined) =>
      other ? own.map((value, i) => (value + (other[i] ?? NaN)) / 2) : own
    const ofValidation = averaged(validationLogits, teacher.refit?.validation)
    const moved = unseenMargins(
      { values: averaged(forgetLogits, teacher.refit?.forget), labels: forgetLabels, classes },
      {
        values: Float32Array.from(
          [...unseen].flatMap((i) => [...ofValidation.subarray(i * classes, (i + 1) * classes)]),
        ),
        labels: unseen.map((i) => validationLabels[i] ?? 0),
        classes,
      },
    )
    const wanted = tf.tensor2d(moved, [forgetLabels.length, classes])
    return (layer, positions) => {
      if (layer !== logits)
        throw new Error(`the target unseen-margin is of logits, and "${layer}" is aligned`)
      return tf.gather(wanted, positions)
    }
  },

  /**
   * f_l of x in a randomly initialised model (the incompetent teacher of Chundawat et al. 2023).
   */
  'random-init': async ({ samples, onDemand }, random) => {
    const features = await onDemand.untrained(samples.forget, random)
    return (layer, positions) => tf.gather(at(features, layer), positions)
  },
}

/** Throws a MathError if D_f has a class without a validation sample. */
function checkUnseen(
  { forgetLabels, validationLabels, samples }: TargetMaterial,
  target: FixedTargetName,
): void {
  const present = new Set(validationLabels)
  const lacking = [...new Set(forgetLabels)].filter((label) => !present.has(label))
  if (lacking.length > 0) {
    throw new MathError(
      `the target ${target} needs a validation sample of every class that D_f has, and of the ${samples.validation.length} ` +
        `there are none is of class ${lacking.sort((a, b) => a - b).join(', ')}; raise data.validation, or choose another target`,
    )
  }
}

/**
 * For each forget sample, the class with the greatest logit among those of the drawn retained
 * samples, except its own class. Throws a MathError if there is no such class.
 */
function nextBestClasses(
  { retainedLabels, forgetLabels, forgetLogits, classes }: TargetMaterial,
  target: FixedTargetName,
): Int32Array {
  const present = [...new Set(retainedLabels)]
  return forgetLabels.map((label, i) => {
    const logits = forgetLogits.subarray(i * classes, (i + 1) * classes)
    const others = present.filter((candidate) => candidate !== label)
    if (others.length === 0) {
      throw new MathError(
        `the target ${target} needs a retained class besides the forgotten one: the retained samples drawn have none`,
      )
    }
    return others.reduce((best, candidate) =>
      (logits[candidate] ?? 0) > (logits[best] ?? 0) ? candidate : best,
    )
  })
}

/** The features of other samples. partners: for each forget sample, a row of `features`. */
function partnersIn(features: NamedTensors, partners: Int32Array): Target {
  const rows = tf.tensor1d(partners, 'int32')
  return (layer, positions) => rowsAt(at(features, layer), rowsAt(rows, positions))
}

/** The mean of each class's features by layer, (one-hot / count)ᵀ · f_l, [classes, ...]. */
export function centroidsOf(features: NamedTensors, labels: Int32Array, classes: number): NamedTensors {
  return mapTensors(features, (feature) => {
    const [n = 0, ...shape] = feature.shape
    const member = tf.oneHot(tf.tensor1d(labels, 'int32'), classes).toFloat()
    const share = member.div(member.sum(0).maximum(1))
    return tf.matMul(share, feature.reshape([n, -1]), true).reshape([classes, ...shape])
  })
}

function mapTensors(tensors: NamedTensors, transform: (tensor: Tensor) => Tensor): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tf.tidy(() => transform(tensor))]),
  )
}

function at(tensors: NamedTensors, layer: string): Tensor {
  const tensor = tensors[layer]
  if (!tensor) throw new Error(`no features were kept of layer "${layer}"`)
  return tensor
}
