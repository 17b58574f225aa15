/**
 * The module `zeroshift` as plug-ins import it: the parts of the engine that the methods of this
 * repository are made of. Each name is also listed in names.ts.
 */

// Definitions and options.
export type { ModelDefinition, ModelInput } from '../experiment/models/define-model.ts'
export type { ReadData, ReaderDefinition, ReadSamples } from '../datasets/define-reader.ts'
export type { ScoreDefinition } from '../unlearning/attacks/define-score.ts'
export type { MethodDefinition } from '../unlearning/define-method.ts'
export type { UnlearnContext, Unlearned, UnlearnFunction } from '../unlearning/method.ts'
export type { TargetDefinition } from '../unlearning/methods/rfa/define-target.ts'
export type { Target, TargetMaterial } from '../unlearning/methods/rfa/targets.ts'
export type { Logits } from '../unlearning/metrics/logits.ts'
export * from './options.ts'

// TensorFlow.
export { tf } from '../learning/tensorflow/tf.ts'

// Random numbers, errors that are reported and never retried, and lists of layers.
export * from './pure.ts'

// Outputs of models.
export { logProbabilities, probabilities, trueLogProbabilities } from '../unlearning/metrics/logits.ts'

// Data.
export { augmentation, Batches, stepsOf } from '../learning/data/batches.ts'
export { labelsAt, type Augmentation, type DeviceData } from '../learning/data/device-data.ts'

// Models.
export { frozenFeatures, penultimateFeatures, type FrozenFeatures } from '../learning/model/features.ts'
export { forward, type Forward, type ForwardOptions } from '../learning/model/forward.ts'
export { adapted, initialAdapter, lora, mergedWeights, type Lora } from '../learning/model/lora.ts'
export {
  frozenTensors,
  initialWeights,
  packArrays,
  parameterSpecs,
  sizeOf,
  totalSize,
  unpack,
  unpackArrays,
  type NamedTensors,
  type ParameterSpec,
  type ParameterSpecs,
  type Weights,
} from '../learning/model/parameters.ts'
export { parametersOf, predict } from '../learning/model/predict.ts'

// Training.
export { Compiled } from '../learning/graph/compiled.ts'
export { fit, fitLoss, type Fit, type FitLoss, type Fitted, type Model } from '../learning/training/fit.ts'
export type { Host, Snapshot } from '../learning/training/host.ts'
export { crossEntropy, klDivergence, squaredDistance } from '../learning/training/losses.ts'
export { train, type TrainingResult, type TrainingRun } from '../learning/training/train.ts'

// What several methods share.
export { batchesOf, gradientAt, sumsOf, withoutSnapshots } from '../unlearning/methods/shared/gradients.ts'
export { trainAdapter } from '../unlearning/methods/shared/train-adapter.ts'
export { trainOn } from '../unlearning/methods/shared/train-epochs.ts'
export { Minibatches, trainStudent, type Minibatch } from '../unlearning/methods/shared/train-student.ts'
