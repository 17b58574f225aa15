import { counted } from '../../common/counted.ts'
import { layersOf } from '../../experiment/models/model.ts'
import { adaptableLayers } from '../../experiment/models/layers.ts'
import { layerWords, mapSets, type FeatureMaps } from '../../experiment/records/feature-maps.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import { ranges, type Figure } from '../../experiment/records/results.ts'
import { trainedHere } from '../../experiment/spec/spec.ts'
import type { MappedLayer } from '../../experiment/stages/maps.ts'
import { seedsOf } from '../../experiment/stages/stage-list.ts'
import type { StageMetrics, StageOf } from '../../experiment/stages/stage.ts'
import { figureCell, heading, note, prose, type Block, type Chart, type Text } from '../blocks.ts'
import { ckaHeat, featureMap, mostClasses, mostPoints, pointsOf, squareAround } from '../charts/maps.ts'
import { describeSeeds } from '../describe.ts'
import { percent, significant } from '../format.ts'
import { manifestOf, whyMissing, whyUnplanned, type ReportInput } from '../input.ts'
import { overSeeds } from '../over-seeds.ts'
import { makersOf, modelRows, modelTable, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

type Mapped = StageMetrics['maps']
type MapsRow = ModelRow<Mapped | { readonly missing: string }>

/** The most models whose maps a report draws. */
const MOST_MODELS = 8

/** Maps of the features of a layer, and CKA between the layers of each model and of gold. */
export const featureMapSection: StageSection = {
  title: 'Feature maps',
  about: 'chosen samples by the features of a layer (UMAP, PCA), and CKA of all layers with those of gold',
  needs: '`maps`',
  blocks: (input) => {
    const rows = mapsRows(input)
    if (!rows) return undefined
    const first = rows.flatMap(({ seeds }) => seeds).find((one) => 'layers' in one)
    const seeds = describeSeeds(input.run.spec)
    const shown = [
      { label: 'Neighbours kept', unit: '%', of: (row: MapsRow) => cellOf(row, ({ kept }) => kept, percent) },
      {
        label: 'Variance of the axes',
        unit: '%',
        of: (row: MapsRow) => cellOf(row, ({ explained }) => explained, percent),
      },
    ]
    const ckas = mappedLayers(input).map((layer) => ({
      label: layer,
      of: (row: MapsRow) => figureCell(ckaFigure(row, layer), significant),
    }))
    return [
      prose(introduction(first)),
      ...drawnMaps(input),
      heading('How much the maps show'),
      prose(
        `The share of the nearest samples by features that are nearest in the map of UMAP, too, and the share of the variance that the two axes of PCA have.${seeds === undefined ? '' : ` ${seeds}.`}`,
      ),
      modelTable('How much the maps show', 'maps-shown', rows, shown),
      ...(input.run.plan.gold.length === 0
        ? []
        : [
            heading('Linear CKA to gold on the chosen samples'),
            prose('Each layer with the same layer of gold: 1 is alike up to rotation and scale.'),
            modelTable('Linear CKA to gold on the chosen samples', 'maps-cka', rows, ckas),
            ...ckaMaps(input),
          ]),
    ]
  },
  computed: { key: 'maps', of: (input) => mapsRows(input) },
}

function introduction(first: Mapped | undefined): string {
  const what = first
    ? `The ${layerWords(first.layer)} for ${counted(first.drawn.forget, 'sample')} of D_f, ${counted(first.drawn.retained, 'sample')} of D_r and ${counted(first.drawn.test, 'test sample')}, the same ones for every model.`
    : 'The features of a layer for chosen samples of D_f, D_r and D_t.'
  return `${what} Networks that were trained separately have no axes in common, so each model has a map of its own, which starts from the places of gold's map and is rotated and reflected onto it by the samples of D_r. Compare groups and neighbours, not single places: another gold model differs, too. The size of gaps in a map of UMAP means nothing.`
}

/** A model whose maps are drawn: those of the first seed, gold first. */
export interface MapModel {
  readonly label: string
  readonly isGold: boolean
  readonly stage: StageOf<'maps'>
}

/** The models of the first seed that have maps, gold first. */
export function mapModels({ run, manifests }: Pick<ReportInput, 'run' | 'manifests'>): readonly MapModel[] {
  const [first] = seedsOf(run.plan)
  const goldStage = first?.reference?.maps
  const rows = modelRows({ run, manifests, failed: [] }, (_, { maps }) => maps)
  const models = rows.flatMap(({ label, seeds: [stage] }) =>
    stage ? [{ label, isGold: stage.key === goldStage?.key, stage }] : [],
  )
  return [...models.filter(({ isGold }) => isGold), ...models.filter(({ isGold }) => !isGold)]
}

/** The stages whose blobs a report draws. */
export function drawnMapStages(input: Pick<ReportInput, 'run' | 'manifests'>): readonly StageOf<'maps'>[] {
  return mapModels(input)
    .slice(0, MOST_MODELS)
    .map(({ stage }) => stage)
}

type Read = MapModel & { readonly maps: FeatureMaps }

/** The drawn models whose blob was read, and in words the others. */
function readModels(input: ReportInput): {
  readonly read: readonly Read[]
  readonly notes: readonly string[]
} {
  const models = mapModels(input)
  const drawn = models.slice(0, MOST_MODELS)
  const read = drawn.flatMap((model): Read[] => {
    const maps = input.maps?.[model.stage.key]
    return maps ? [{ ...model, maps }] : []
  })
  const lost = drawn.filter(({ stage }) => stage.key in input.manifests && !input.maps?.[stage.key])
  const left = models.slice(MOST_MODELS)
  const names = (all: readonly MapModel[]) => all.map(({ label }) => label).join(', ')
  return {
    read,
    notes: [
      ...(lost.length > 0 ? [`Not drawn, because the store lacks the maps: ${names(lost)}.`] : []),
      ...(left.length > 0
        ? [`The first ${MOST_MODELS} models are drawn. The others are: ${names(left)}.`]
        : []),
    ],
  }
}

function drawnMaps(input: ReportInput): readonly Block[] {
  const { read, notes } = readModels(input)
  const drawn = read.flatMap(({ label, maps: { samples, points } }) =>
    'missing' in points ? [] : [{ label, samples, points }],
  )
  if (drawn.length === 0) return notes.map(note)
  const { classes } = input.run.facts
  const charts = (kind: 'umap' | 'pca', words: string): Block => {
    const panels = drawn.map(({ label, samples, points }) => ({
      label,
      points: pointsOf(samples, points[kind], classes.length),
    }))
    // The same square for all models, so that places can be compared.
    const square = squareAround(panels.flatMap(({ points }) => points))
    return {
      kind: 'charts',
      size: 'panels',
      charts: panels.map(({ label, points }): Chart => ({
        title: label,
        description: `${label}: ${counted(points.length, 'sample')} by ${words} of their features.`,
        spec: featureMap(points, square),
      })),
    }
  }
  const samples = drawn[0]?.samples ?? []
  const most = Math.max(...mapSets.map((one) => samples.filter(({ set }) => set === one).length))
  return [
    heading('UMAP'),
    prose(
      'Diamonds with an outline are samples of D_f, dots are samples of D_r, and rings are test samples.',
    ),
    { kind: 'list', style: 'keys', items: coloursOf(input, new Set(samples.map(({ label }) => label))) },
    charts('umap', 'UMAP'),
    {
      kind: 'details',
      summary: 'The same samples by PCA',
      blocks: [charts('pca', 'the first two principal components')],
    },
    ...(input.run.plan.seeds ? [note('The maps are those of the first seed.')] : []),
    ...(most > mostPoints ? [note(`Each chart has at most ${mostPoints} samples of each set.`)] : []),
    ...notes.map(note),
  ]
}

function coloursOf({ run }: ReportInput, labels: ReadonlySet<number>): readonly Text[] {
  const { classes } = run.facts
  if (classes.length > mostClasses)
    return [
      [{ swatch: 'forget' }, 'forget set'],
      [{ swatch: 'retained' }, 'retained set'],
      [{ swatch: 'test' }, 'test set'],
    ]
  return classes.flatMap((name, i): Text[] => (labels.has(i) ? [[{ swatch: `series-${i}` }, name]] : []))
}

function ckaMaps(input: ReportInput): readonly Block[] {
  const { read } = readModels(input)
  const charts = read.flatMap(({ label, maps: { cka } }): Chart[] =>
    cka
      ? [
          {
            title: label,
            description: `${label}: linear CKA of each layer with each layer of gold.`,
            spec: ckaHeat(cka),
          },
        ]
      : [],
  )
  if (charts.length === 0) return []
  return [
    heading('Linear CKA between the layers of a model and those of gold'),
    prose('The stronger the colour, the more alike. An empty place has no figure.'),
    { kind: 'charts', size: 'panels', charts },
  ]
}

/** Returns undefined if the run draws no maps. */
export function mapsRows(input: ReportInput): readonly MapsRow[] | undefined {
  if (!input.run.spec.maps) return undefined
  return modelRows(input, (seed, model) => {
    const { maps } = model
    const finished = maps && manifestOf<'maps'>(input, maps)
    if (finished) return finished.metrics
    const unplanned = whyUnplanned(input.run, model, { needsGold: false, needsWeights: true })
    if (unplanned !== undefined) return { missing: unplanned }
    const needed = [...makersOf(seed, model), ...seed.gold.slice(0, 1), ...(maps ? [maps] : [])]
    return { missing: whyMissing(input, needed) }
  })
}

/** Names of the layers that are compared, in forward order. */
function mappedLayers({ run: { spec, facts } }: ReportInput): readonly string[] {
  const trained = trainedHere(spec)
  if (!trained) return []
  return adaptableLayers(layersOf(trained.model, facts.shape, facts.classes.length)).map(({ name }) => name)
}

function cellOf(row: MapsRow, of: (mapped: Mapped) => Measured, write: (value: number) => string) {
  return figureCell(figureOf(row, of, ranges.percent), write)
}

/** A row's CKA at a layer. Over several seeds it is the mean. */
export function ckaFigure(row: MapsRow, layer: string): Figure {
  const of = ({ layers }: Mapped): Measured =>
    layers.find(({ name }: MappedLayer) => name === layer)?.cka ?? {
      missing: `the layer ${layer} was not compared`,
    }
  return figureOf(row, of, ranges.share)
}

function figureOf(
  { seeds }: MapsRow,
  of: (mapped: Mapped) => Measured,
  range: Parameters<typeof overSeeds>[1],
): Figure {
  return overSeeds(
    seeds.map((one): Measured => ('missing' in one ? one : of(one))),
    range,
  )
}
