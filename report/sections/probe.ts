import { layersOf } from '../../experiment/models/model.ts'
import { trainedHere } from '../../experiment/spec/spec.ts'
import { adaptableLayers, matchesAny } from '../../experiment/models/layers.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import type { ProbedLayer } from '../../experiment/stages/probe.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { ranges, type Figure } from '../../experiment/records/results.ts'
import { figureCell, heading, prose } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { counted } from '../../common/counted.ts'
import { percent, significant } from '../format.ts'
import { manifestOf, whyMissing, whyUnplanned, type ReportInput } from '../input.ts'
import { overSeeds } from '../over-seeds.ts'
import { makersOf, modelRows, modelTable, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

type Probed = StageMetrics['probe'] | { readonly missing: string }
export type ProbeRow = ModelRow<Probed>

/** Each figure has a table of its own, with a column for each layer. */
const figures = {
  accuracy: {
    title: 'Samples of D_f that a probe recognises (%)',
    about:
      "A linear probe finds classes in any good model's features: what is above gold is still remembered.",
    of: ({ accuracy }: ProbedLayer) => accuracy,
    write: percent,
  },
  forget: {
    title: 'Linear CKA to gold on D_f',
    about: '1 is alike up to rotation and scale. Two gold models differ too: the floor shows by how much.',
    of: ({ cka }: ProbedLayer) => cka.forget,
    write: significant,
  },
  retained: {
    title: 'Linear CKA to gold on D_r',
    about: 'The same on as many retained samples: what the unlearning changed for them beside.',
    of: ({ cka }: ProbedLayer) => cka.retained,
    write: significant,
  },
} as const
type ProbeFigure = keyof typeof figures
const figureNames = Object.keys(figures) as readonly ProbeFigure[]

/** Linear probes and CKA, layer by layer. */
export const probes: StageSection = {
  title: 'What the features still know',
  about: 'linear probes and CKA, layer by layer',
  needs: '`probe`',
  blocks: (input) => {
    const rows = probeRows(input)
    if (!rows) return undefined
    const samples = rows.flatMap(({ seeds }) => seeds).find((one) => 'layers' in one)
    const sizes = samples
      ? ` The probes are trained on ${counted(samples.trained, 'sample')} and tested on ${counted(samples.tested, 'forget sample')}; CKA compares ${counted(samples.compared.forget, 'sample')} of each set.`
      : ''
    const seeds = describeSeeds(input.run.spec)
    return [
      prose(
        `Outputs can forget while features do not. Each column is the output of one layer, of convolutions averaged over positions.${sizes}${seeds === undefined ? '' : ` ${seeds}.`}`,
      ),
      ...figureNames.flatMap((name) => {
        const { title, about, write } = figures[name]
        const columns = probedLayers(input).map((layer) => ({
          label: layer,
          of: (row: ProbeRow) => figureCell(probeFigure(row, name, layer), write),
        }))
        return [heading(title), prose(about), modelTable(title, `probe-${name}`, rows, columns)]
      }),
    ]
  },
  computed: { key: 'probes', of: (input) => probeRows(input) },
}

/** Returns undefined if the run does not probe features. */
export function probeRows(input: ReportInput): readonly ProbeRow[] | undefined {
  if (!input.run.spec.probe) return undefined
  return modelRows(input, (seed, model): Probed => {
    const { probe } = model
    const finished = probe && manifestOf<'probe'>(input, probe)
    if (finished) return finished.metrics
    const unplanned = whyUnplanned(input.run, model, { needsGold: false, needsWeights: true })
    if (unplanned !== undefined) return { missing: unplanned }
    const needed = [...makersOf(seed, model), ...seed.gold.slice(0, 1), ...(probe ? [probe] : [])]
    return { missing: whyMissing(input, needed) }
  })
}

/** Names of the layers that are probed, in forward order. */
function probedLayers({ run: { spec, facts } }: ReportInput): readonly string[] {
  const trained = trainedHere(spec)
  if (!trained) return []
  const layers = adaptableLayers(layersOf(trained.model, facts.shape, facts.classes.length))
  return layers.filter(matchesAny(spec.probe?.layers ?? [])).map(({ name }) => name)
}

/** A row's figure at a layer. Over several seeds it is the mean. */
export function probeFigure({ seeds }: ProbeRow, name: ProbeFigure, layer: string): Figure {
  return overSeeds(
    seeds.map((one): Measured => {
      if ('missing' in one) return one
      const found = one.layers.find((probed) => probed.name === layer)
      return found ? figures[name].of(found) : { missing: `the layer ${layer} was not probed` }
    }),
    name === 'accuracy' ? ranges.percent : ranges.share,
  )
}
