import { layersOf } from '../../experiment/models/model.ts'
import { trainedHere } from '../../experiment/spec/spec.ts'
import { adaptableLayers, matchesAny } from '../../experiment/models/layers.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import { ranges, type Figure } from '../../experiment/records/results.ts'
import { featureSets, type FeatureSet } from '../../experiment/stages/features.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { counted } from '../../common/counted.ts'
import { figureCell, heading, prose } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { significant } from '../format.ts'
import { manifestOf, whyMissing, whyUnplanned, type ReportInput } from '../input.ts'
import { overSeeds } from '../over-seeds.ts'
import { makersOf, modelRows, modelTable, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

type FeaturesRow = ModelRow<StageMetrics['features'] | { readonly missing: string }>

/** Distances of features to gold's, layer by layer. */
export const featureDistances: StageSection = {
  title: 'Feature distance to gold',
  about: "Procrustes distance of the features to gold's on both sets, layer by layer",
  needs: '`features`',
  blocks: (input) => {
    const rows = featuresRows(input)
    if (!rows) return undefined
    const first = rows.flatMap(({ seeds }) => seeds).find((one) => 'layers' in one)
    const sizes = first
      ? ` It compares ${counted(first.compared.forget, 'sample')} of D_f and ${counted(first.compared.retained, 'sample')} of D_r.`
      : ''
    const seeds = describeSeeds(input.run.spec)
    return [
      prose(
        `The distance between the features of a model and those of gold after the best rotation, scaling and shift: 0 means that the rotated features are equal, 1 that they have nothing in common. Two gold models differ too: the floor shows by how much. Each column is the output of one layer, of convolutions averaged over positions.${sizes}${seeds === undefined ? '' : ` ${seeds}.`}`,
      ),
      ...featureSets.flatMap((set) => {
        const columns = comparedLayers(input).map((layer) => ({
          label: layer,
          of: (row: FeaturesRow) => figureCell(featuresFigure(row, set, layer), significant),
        }))
        return [heading(titles[set]), modelTable(titles[set], `features-${set}`, rows, columns)]
      }),
    ]
  },
  computed: { key: 'features', of: (input) => featuresRows(input) },
}

/** Returns undefined if the run does not compare features. */
export function featuresRows(input: ReportInput): readonly FeaturesRow[] | undefined {
  if (!input.run.spec.features) return undefined
  return modelRows(input, (seed, model) => {
    const { features } = model
    const finished = features && manifestOf<'features'>(input, features)
    if (finished) return finished.metrics
    const unplanned = whyUnplanned(input.run, model, { needsGold: true, needsWeights: true })
    if (unplanned !== undefined) return { missing: unplanned }
    const needed = [...makersOf(seed, model), ...seed.gold.slice(0, 1), ...(features ? [features] : [])]
    return { missing: whyMissing(input, needed) }
  })
}

/** Names of the layers whose features are compared, in forward order. */
function comparedLayers({ run: { spec, facts } }: ReportInput): readonly string[] {
  const trained = trainedHere(spec)
  if (!trained) return []
  const layers = adaptableLayers(layersOf(trained.model, facts.shape, facts.classes.length))
  return layers.filter(matchesAny(spec.features?.layers ?? [])).map(({ name }) => name)
}

/** A row's distance at a layer. Over several seeds it is the mean. */
export function featuresFigure({ seeds }: FeaturesRow, set: FeatureSet, layer: string): Figure {
  return overSeeds(
    seeds.map((one): Measured => {
      if ('missing' in one) return one
      const found = one.layers.find(({ name }) => name === layer)
      return found ? found.distance[set] : { missing: `the layer ${layer} was not compared` }
    }),
    ranges.share,
  )
}

const titles: Readonly<Record<FeatureSet, string>> = {
  forget: 'Feature distance on D_f',
  retained: 'Feature distance on D_r',
}
