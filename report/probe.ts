import type { Measured, ProbedLayer, StageMetrics } from '../experiment/records/manifest.ts'
import { adaptableLayers, layersOf, matchesAny } from '../experiment/models/model.ts'
import { ranges, type Figure } from '../experiment/records/results.ts'
import { percent, significant } from './format.ts'
import { judgedRows, makersOf, type JudgedRow } from './judged-rows.ts'
import { overSeeds } from './over-seeds.ts'
import { manifestOf, whyMissing, type ReportInput } from './results.ts'

/** What the features of one seed's model tell. */
export type Probed = StageMetrics['probe'] | { readonly missing: string }

export type ProbeRow = JudgedRow<Probed>

/** undefined: it was not asked. */
export function probeRows(input: ReportInput): readonly ProbeRow[] | undefined {
  if (!input.run.spec.probe) return undefined
  return judgedRows(input, (seed, judged): Probed => {
    const { probe } = judged
    const finished = probe && manifestOf<'probe'>(input, probe)
    if (finished) return finished.metrics
    const needed = [...makersOf(seed, judged), ...seed.gold.slice(0, 1), ...(probe ? [probe] : [])]
    return { missing: whyMissing(input, needed) }
  })
}

/** Names of the layers that are probed, in forward order. */
export function probedLayers({ run: { spec, facts } }: ReportInput): readonly string[] {
  const layers = adaptableLayers(layersOf(spec.model, facts.shape, facts.classes.length))
  return layers.filter(matchesAny(spec.probe?.layers ?? [])).map(({ name }) => name)
}

export const probeFigures = ['accuracy', 'forget', 'retained'] as const
export type ProbeFigure = (typeof probeFigures)[number]

/** Each figure is a table of its own. */
export const probeTables: Readonly<
  Record<
    ProbeFigure,
    {
      readonly title: string
      readonly about: string
      readonly of: (layer: ProbedLayer) => Measured
      readonly write: (value: number) => string
    }
  >
> = {
  accuracy: {
    title: 'Samples of D_f that a probe recognises (%)',
    about:
      "A linear probe finds classes in any good model's features: what is above gold is still remembered.",
    of: ({ accuracy }) => accuracy,
    write: percent,
  },
  forget: {
    title: 'Linear CKA to gold on D_f',
    about: '1 is alike up to rotation and scale. Two gold models differ too: the floor shows by how much.',
    of: ({ cka }) => cka.forget,
    write: significant,
  },
  retained: {
    title: 'Linear CKA to gold on D_r',
    about: 'The same on as many retained samples: what the unlearning changed for them beside.',
    of: ({ cka }) => cka.retained,
    write: significant,
  },
}

/** A row's figure at a layer. Over several seeds it is their mean. */
export function probeFigure({ seeds }: ProbeRow, name: ProbeFigure, layer: string): Figure {
  return overSeeds(
    seeds.map((one): Measured => {
      if ('missing' in one) return one
      const found = one.layers.find((probed) => probed.name === layer)
      return found ? probeTables[name].of(found) : { missing: `the layer ${layer} was not probed` }
    }),
    name === 'accuracy' ? ranges.percent : ranges.share,
  )
}

/** Of how many samples the figures are; undefined where no model was probed. */
export function probedSamples(rows: readonly ProbeRow[]): StageMetrics['probe'] | undefined {
  return rows.flatMap(({ seeds }) => seeds).find((one) => 'layers' in one)
}
