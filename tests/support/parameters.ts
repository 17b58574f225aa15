import type { Architecture } from '../../experiment/models/pretrained.ts'
import { architectureLayers } from '../../experiment/models/model.ts'
import { parameterSpecs, sizeOf, type Tensors } from '../../learning/model/parameters.ts'
import { stream } from '../../learning/random.ts'

/** Random parameters of a model with 10 classes; variances are positive. */
export function parametersFor(architecture: Architecture): Tensors {
  const random = stream(1, 'parameters')
  const { trained, statistics } = parameterSpecs(architectureLayers(architecture, 10))
  return Object.fromEntries(
    [...trained, ...statistics].map((spec) => {
      const value = () => (spec.name.endsWith('.variance') ? 0.5 + random.uniform() : 0.3 * random.normal())
      return [spec.name, { shape: spec.shape, values: Float32Array.from({ length: sizeOf(spec) }, value) }]
    }),
  )
}
