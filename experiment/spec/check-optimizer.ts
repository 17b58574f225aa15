import { flattenLayers, layerNames, matchesAny, type Layer } from '../models/layers.ts'
import type { OptimizerSpec } from './optimizer.ts'
import type { Report } from './problems.ts'

/**
 * Checks the groups of an optimizer against the layers of the model, and that Muon has convolutions
 * to change. Paths are relative to the optimizer.
 */
export function checkOptimizer(optimizer: OptimizerSpec, layers: readonly Layer[], report: Report): void {
  const all = flattenLayers(layers)
  const trained = all.filter(isTrained)
  optimizer.groups?.forEach(({ layers: patterns }, i) => {
    patterns.forEach((pattern, j) => {
      if (trained.some(matchesAny([pattern]))) return
      const other = all.find(matchesAny([pattern]))
      const found = other
        ? `matches only layers without parameters (${other.name} is ${other.kind})`
        : 'matches no layer'
      report(
        ['groups', i, 'layers', j],
        `"${pattern}" ${found}; the layers with parameters are ${layerNames(trained)}`,
      )
    })
  })
  if (optimizer.name === 'muon' && !all.some(({ kind }) => kind === 'conv'))
    report(
      ['name'],
      'muon changes the kernels of convolutions, and the model has none; choose adam or sgd, or a model with convolutions',
    )
}

/** Whether a layer has trained parameters of its own. */
function isTrained(layer: Layer): boolean {
  switch (layer.kind) {
    case 'linear':
    case 'batch-norm':
    case 'layer-norm':
    case 'tokens':
      return true
    case 'conv':
      return layer.whitening !== true || layer.bias
    default:
      return false
  }
}
