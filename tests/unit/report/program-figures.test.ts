import { describe, expect, test } from 'vitest'
import { renderReport, type ReportInput } from '../../../report/report.ts'
import { programFigureRows } from '../../../report/sections/program-figures.ts'
import { seedsOf } from '../../../experiment/stages/stage-list.ts'
import { sampleInput, withManifest, withoutStages } from './fixtures.ts'

/** The unlearning of finetune in each seed. */
const unlearnings = ({ run }: ReportInput) =>
  seedsOf(run.plan).flatMap(
    ({ candidates }) => candidates.find(({ label }) => label === 'finetune')?.unlearn ?? [],
  )

/** Adds figures to the unlearning of finetune, one record for each seed. */
function reporting(input: ReportInput, ...bySeed: readonly Readonly<Record<string, number>>[]): ReportInput {
  return unlearnings(input).reduce((changed, unlearn, i) => {
    const figures = bySeed[i]
    return figures
      ? withManifest(changed, unlearn, (manifest) => ({
          ...manifest,
          metrics: { ...manifest.metrics, figures },
        }))
      : changed
  }, input)
}

interface Json {
  readonly computed: object
  readonly digest: string
  readonly programFigures?: readonly { readonly label: string }[]
}

describe('the figures of programs', () => {
  test('are absent, and nothing is changed by it, if no program reported any', async () => {
    const { json, markdown } = await renderReport(sampleInput())
    expect(Object.keys(JSON.parse(json) as Json)).not.toContain('programFigures')
    expect(markdown).not.toContain('Figures of the programs')
  })

  test('are shown for the rows that have any, and stand beside what the digest covers', async () => {
    const input = reporting(sampleInput(), { 'gradient norm': 1.5, a: 2 })
    const { json, markdown } = await renderReport(input)
    const { computed, programFigures } = JSON.parse(json) as Json
    expect(programFigures).toEqual([
      { label: 'finetune', isFloor: false, seeds: [{ a: { value: 2 }, 'gradient norm': { value: 1.5 } }] },
    ])
    expect(computed).not.toHaveProperty('programFigures')
    const section = markdown.slice(markdown.indexOf('## Figures of the programs'))
    expect(section).toMatch(/\| Model \| a \| gradient norm \|/)
    expect(section).toMatch(/\| finetune \| 2\.00 \| 1\.50 \|/)
    expect(section.slice(0, section.indexOf('## Cost'))).not.toMatch(/\| rfa /)
  })

  test('of several seeds are means, and a seed without one says why', async () => {
    const seeds = [{}, {}, {}]
    const input = reporting(sampleInput({ seeds }), { norm: 1 }, { norm: 2 }, { other: 3 })
    const [row] = programFigureRows(input) ?? []
    const missing = { missing: 'the program did not report this figure' }
    expect(row?.seeds.map(({ norm }) => norm)).toEqual([{ value: 1 }, { value: 2 }, missing])
    expect((await renderReport(input)).markdown).toMatch(/\| finetune \| 1\.50 ± /)

    const [, , last] = unlearnings(input)
    const broken = withoutStages(input, [last], [{ title: last?.title ?? '', reason: 'it ended' }])
    expect(programFigureRows(broken)?.[0]?.seeds[2]?.norm).toEqual({
      missing: 'unlearn by finetune, seed 3 failed: it ended',
    })
  })
})
