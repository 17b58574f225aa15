import { adaptableLayers, type Layer } from '../../../experiment/models/layers.ts'
import { parameterSpecs, sizeOf } from '../../../learning/model/parameters.ts'

/**
 * A mask [size] with 1 for the parameters of the last k linear and convolutional layers, and of all
 * layers that come after the first of these, such as batch norms. Other parameters have 0.
 */
export function lastLayers(layers: readonly Layer[], k: number): Float32Array {
  const [first] = adaptableLayers(layers).slice(-k)
  const { trained } = parameterSpecs(layers)
  const from = trained.findIndex(({ name }) => name.startsWith(`${first?.name}.`))
  return Float32Array.from(
    trained.flatMap((spec, i) => new Array<number>(sizeOf(spec)).fill(i < from ? 0 : 1)),
  )
}
