import type { TensorEntry, Tensors } from '../../artifacts/format/safetensors.ts'
import { UserError } from '../../common/errors.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import { packArrays, parameterSpecs, type Weights } from '../../learning/model/parameters.ts'

/** Checks the tensors of a model from elsewhere against the experiment's model. */

const LISTED = 8
const floats: readonly string[] = ['F32', 'F16', 'BF16']

/** Tensors that other programs write beside the parameters. They are not read. */
const ignored = /(^|\.)num_batches_tracked$/

/**
 * Throws a UserError that lists tensors that are missing, not part of the model, or of another
 * shape or type. `where` names the files.
 */
export function refuseOtherTensors(
  layers: readonly Layer[],
  tensors: Readonly<Record<string, Pick<TensorEntry, 'dtype' | 'shape'>>>,
  where: string,
  path?: string,
): void {
  const { trained, statistics } = parameterSpecs(layers)
  const specs = [...trained, ...statistics]
  const known = new Set(specs.map(({ name }) => name))
  const shown = (shape: readonly number[]) => `[${shape.join(', ')}]`
  const problems = [
    ...specs.flatMap(({ name, shape }) => {
      const tensor = tensors[name]
      if (!tensor) return [`"${name}" ${shown(shape)} is missing`]
      if (tensor.shape.join() !== shape.join())
        return [`"${name}" has the shape ${shown(tensor.shape)}, expected ${shown(shape)}`]
      return floats.includes(tensor.dtype)
        ? []
        : [`"${name}" has the type ${tensor.dtype}, expected ${floats.join(', ')}`]
    }),
    ...Object.entries(tensors).flatMap(([name, { shape }]) =>
      known.has(name) || ignored.test(name) ? [] : [`"${name}" ${shown(shape)} is not of this model`],
    ),
  ]
  if (problems.length === 0) return
  const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more` : ''
  const message = `${where}: the tensors are not those of the model in the config: ${problems.slice(0, LISTED).join('; ')}${more}`
  throw new UserError([{ message, ...(path !== undefined && { path }) }])
}

/** The weights of a model from its tensors. Throws a UserError if they are not the model's. */
export function weightsOf(layers: readonly Layer[], tensors: Tensors, where: string): Weights {
  refuseOtherTensors(layers, tensors, where)
  const specs = parameterSpecs(layers)
  return { trained: packArrays(specs.trained, tensors), statistics: packArrays(specs.statistics, tensors) }
}
