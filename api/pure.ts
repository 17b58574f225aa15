/**
 * The part of the module `zeroshift` that loads no TensorFlow. Functions of plug-ins that commands
 * execute, such as those of data readers, may call it.
 */
export { MathError, UserError } from '../common/errors.ts'
export { permutation, sample, stream, type RandomStream } from '../learning/random.ts'
export {
  adaptableLayers,
  flattenLayers,
  matchesAny,
  type AdaptableLayer,
  type Layer,
  type Shape,
} from '../experiment/models/layers.ts'
