import type { Measured } from '../../experiment/records/measured.ts'
import { figureCell, prose } from '../blocks.ts'
import { describeSeeds } from '../describe.ts'
import { significant } from '../format.ts'
import { whyMissing, type ReportInput } from '../input.ts'
import { overSeeds } from '../over-seeds.ts'
import { makersOf, modelRows, modelTable, type ModelRow } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

/** The figures that the program of one seed's model reported, by name. */
export type ProgramFigures = Readonly<Record<string, Measured>>

/** Figures that external programs report of the models that they make. */
export const programFigures: StageSection = {
  title: 'Figures of the programs',
  about: 'figures that external programs report themselves',
  needs: '`external` with `metrics`',
  blocks: (input) => {
    const rows = programFigureRows(input)
    if (!rows) return undefined
    const seeds = describeSeeds(input.run.spec)
    const names = Object.keys(rows[0]?.seeds[0] ?? {})
    return [
      prose(
        `External programs reported these figures of their models themselves. Zeroshift neither computes nor checks them.${seeds === undefined ? '' : ` ${seeds}.`}`,
      ),
      modelTable(
        'Figures of the programs',
        'program-figures',
        rows,
        names.map((name) => ({
          label: name,
          of: (row: ModelRow<ProgramFigures>) =>
            figureCell(overSeeds(row.seeds.flatMap((seed) => seed[name] ?? [])), significant),
        })),
      ),
    ]
  },
}

/**
 * The rows whose programs reported figures. Each seed of each row has all names, in alphabetical
 * order. Returns undefined if no program reported a figure.
 */
export function programFigureRows(input: ReportInput): readonly ModelRow<ProgramFigures>[] | undefined {
  const rows = modelRows(input, (seed, model) => {
    const makers = makersOf(seed, model)
    const maker = makers.at(-1)
    const manifest = maker && input.manifests[maker.key]
    return manifest?.kind === 'train' || manifest?.kind === 'unlearn'
      ? { figures: manifest.metrics.figures ?? {}, reason: 'the program did not report this figure' }
      : { figures: {}, reason: whyMissing(input, makers) }
  })
  const reported = rows.filter(({ seeds }) => seeds.some(({ figures }) => Object.keys(figures).length > 0))
  if (reported.length === 0) return undefined
  const names = reported.flatMap(({ seeds }) => seeds.flatMap(({ figures }) => Object.keys(figures)))
  const sorted = [...new Set(names)].toSorted()
  return reported.map((row) => ({
    ...row,
    seeds: row.seeds.map(({ figures, reason }) =>
      Object.fromEntries(
        sorted.map((name): [string, Measured] => {
          const value = figures[name]
          return [name, value === undefined ? { missing: reason } : { value }]
        }),
      ),
    ),
  }))
}
