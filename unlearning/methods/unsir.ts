import type { Scalar, Tensor4D } from '@tensorflow/tfjs'
import { UserError } from '../../common/errors.ts'
import type { MethodSpecOf } from '../../experiment/spec/methods.ts'
import { augmentation, Batches } from '../../learning/data/batches.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import { forward } from '../../learning/model/forward.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { train } from '../../learning/training/train.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { Minibatches, trainStudent } from './shared/train-student.ts'

/**
 * UNSIR (Tarun et al. 2023): unlearning of whole classes by selective impair and repair. One batch
 * of noise N_c is learnt for each forgotten class c, with the original model θ_o frozen:
 *
 *     min_N  − CE(θ_o; N, c)  +  λ E ‖N‖²
 *
 * The impair phase trains on that noise with the label c, mixed with a subset D_r′ of the retained
 * set. The repair phase trains on D_r′ alone:
 *
 *     min_θ  E_{D_r′ ∪ noise} CE(θ; x, y)    and then    min_θ  E_{D_r′} CE(θ; x, y)
 *
 * Neither phase reads D_f; the method only uses its classes. If a forgotten class also had retained
 * samples, the noise would be learnt against them, so such a split is refused. Both phases are one
 * run. The repair phase has its own learning rate, and Adam keeps its moments. The defaults are the
 * published ones: 40 steps of noise at 0.1 with λ = 0.1, 20 batches per class, 1000 samples per
 * retained class, and one epoch each at 0.02 and 0.01.
 */
export const unlearn: Method<'unsir'> = async (method, context) => {
  const { data, training, seed } = context
  const classes = forgottenClasses(context)
  const subset = retainedSubset(context, method.retainedPerClass)
  const noise = await learnNoise(method, context, classes)

  // Positions below |D_r′| are retained samples. The others are rows of noise, each `noiseBatches`
  // times.
  const rows = classes.length * method.batchSize
  const mixed = Int32Array.from({ length: subset.length + rows * method.noiseBatches }, (_, i) => i)
  const impairing = new Batches(mixed, method.batchSize, seed, 'unsir impair')
  const repairing = new Minibatches(context, subset, method.batchSize, 'unsir repair')
  const impairSteps = method.impairEpochs * impairing.perEpoch
  const steps = impairSteps + method.repairEpochs * repairing.batches.perEpoch

  const retainedIn = (batch: Int32Array) => batch.filter((i) => i < subset.length).map((i) => subset[i] ?? 0)
  const impairBatch = (step: number) => {
    const batch = impairing.at(step)
    const r = retainedIn(batch)
    const n = batch.filter((i) => i >= subset.length).map((i) => (i - subset.length) % rows)
    const augment = augmentation(training, seed, 'unsir impair', step, r, impairing.perEpoch)
    const images = [
      ...(r.length > 0 ? [data.images(r, augment)] : []),
      ...(n.length > 0 ? [tf.gather(noise, tf.tensor1d(n, 'int32'))] : []),
    ]
    data.prefetch(retainedIn(impairing.at(step + 1)))
    const noiseLabels = n.map((row) => classes[Math.floor(row / method.batchSize)] ?? 0)
    const labels = Int32Array.from([...labelsAt(data.labels, r), ...noiseLabels])
    return { images: tf.concat(images), labels: tf.tensor1d(labels, 'int32') }
  }

  try {
    return await trainStudent(context, {
      optimizer: method.optimizer,
      schedule: {
        name: 'step',
        // Half a step early, so that rounding cannot move the change to the next step.
        milestones: [(impairSteps - 0.5) / steps],
        factor: method.repairRate / method.optimizer.learningRate,
      },
      steps,
      samples: { retained: subset.length, forget: 0 },
      loss: (student, step) => {
        const { images, labels } = step < impairSteps ? impairBatch(step) : repairing.at(step - impairSteps)
        return crossEntropy(student.logits(images), labels, training.labelSmoothing)
      },
    })
  } finally {
    noise.dispose()
  }
}

/** The classes of D_f, ascending. Throws a UserError if D_r has samples of one of them. */
export function forgottenClasses({ data, retained, forget }: UnlearnContext): readonly number[] {
  const classes = [...new Set(labelsAt(data.labels, forget))].sort((a, b) => a - b)
  const kept = new Set(labelsAt(data.labels, retained))
  const shared = classes.filter((k) => kept.has(k))
  if (shared.length > 0)
    throw new UserError(
      `unsir forgets whole classes, and the retained set has samples of ${shared.length} of the ${classes.length} ` +
        `classes in the forget set (of class ${shared[0] ?? 0}, for one); split by class, or leave unsir out`,
    )
  return classes
}

/** D_r′: at most `perClass` samples of each retained class, drawn once. */
function retainedSubset({ data, retained, seed }: UnlearnContext, perClass: number): Int32Array {
  const classes = [...new Set(labelsAt(data.labels, retained))].sort((a, b) => a - b)
  return Int32Array.from(
    classes.flatMap((k) => [
      ...sample(
        retained.filter((i) => data.labels[i] === k),
        perClass,
        stream(seed, 'unsir', 'retained', k),
      ),
    ]),
  )
}

/**
 * N_c of all classes, [classes · batch, h, w, c], one batch per class. The caller disposes of it.
 */
export async function learnNoise(
  method: MethodSpecOf<'unsir'>,
  { layers, original, data, seed, host }: UnlearnContext,
  classes: readonly number[],
): Promise<Tensor4D> {
  const shape = [classes.length * method.batchSize, ...data.shape] as [number, number, number, number]
  const labels = Int32Array.from(
    { length: shape[0] },
    (_, row) => classes[Math.floor(row / method.batchSize)] ?? 0,
  )
  const random = stream(seed, 'unsir', 'noise')
  const size = shape.reduce((product, side) => product * side, 1)
  const teacher = parametersOf(layers, original)
  try {
    // All classes are learnt at once. Adam treats each pixel separately, so each class is learnt as
    // if it were alone.
    const { parameters } = await train({
      initial: Float32Array.from({ length: size }, () => random.normal()),
      steps: method.noiseSteps,
      optimizer: { name: 'adam', learningRate: method.noiseRate, beta1: 0.9, beta2: 0.999, weightDecay: 0 },
      schedule: { name: 'constant' },
      loss: (flat) => {
        const noise = flat.reshape<Tensor4D>(shape)
        const error = crossEntropy(forward(layers, teacher, noise).output, tf.tensor1d(labels, 'int32'))
        const norm = noise.square().sum().div<Scalar>(shape[0])
        return norm.mul<Scalar>(method.noisePenalty).sub(error)
      },
      // The noise is cheap and in no snapshot. A run that continues from a snapshot learns it
      // again.
      host: host && { step: () => host.step({}) },
    })
    return tf.tensor4d(parameters, shape)
  } finally {
    tf.dispose(teacher)
  }
}
