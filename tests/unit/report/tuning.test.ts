import { describe, expect, test } from 'vitest'
import type { RankedVariant } from '../../../experiment/stages/tune.ts'
import { variantsOf } from '../../../experiment/spec/variants.ts'
import { renderReport, type ReportInput } from '../../../report/report.ts'
import { results } from '../../../report/results.ts'
import { renderTable } from '../../../report/table.ts'
import { contentsOf } from '../../../tracking/contents.ts'
import { resultsBySeed } from '../../../report/results.ts'
import { sampleInput, withManifest, withoutStages } from './fixtures.ts'

interface Computed {
  readonly computed: {
    readonly tuning?: readonly { readonly label: string; readonly steps: number; readonly ranking: unknown }[]
    readonly results: readonly { readonly label: string; readonly untuned?: true }[]
  }
}

const methods = [
  { method: 'original' },
  { method: 'finetune', epochs: 2 },
  { method: 'rfa', steps: 20, tune: false },
]
const sections = { tune: { trials: 3 }, data: { name: 'digits', validation: 0.1 } }

/** A tuned run: variant 2 has the least gap, and variant 1 diverged. */
function tunedInput(): ReportInput {
  const input = sampleInput({
    methods,
    sections,
    figures: {
      trial: () => ({ gap: { value: 4 }, steps: 30 }),
      tune: () => ({ ranking: [] }),
    },
  })
  const row = input.run.spec.methods[1]
  if (row?.method !== 'finetune') throw new Error('no finetune')
  const variants = variantsOf(row, input.run.spec)
  const gaps = [
    [{ value: 4 }, { value: 6 }],
    [{ missing: 'the loss is NaN' }],
    [{ value: 1 }, { value: 2.5 }],
  ]
  const ranking = [2, 0, 1].map((variant): RankedVariant => {
    const method = variants[variant]
    if (!method) throw new Error('too few variants')
    return { variant, method, gaps: gaps[variant] ?? [] }
  })
  const last = input.run.plan.tuning?.rows[0]?.rounds.at(-1)?.ranking
  if (!last) throw new Error('no ranking')
  return withManifest(input, last, (manifest) => ({ ...manifest, metrics: { ranking } }))
}

/** The chosen options as the report has them. */
const chosenOf = ({ run }: ReportInput) => {
  const row = run.spec.methods[1]
  return row?.method === 'finetune' ? variantsOf(row, run.spec)[2] : undefined
}

describe('the section of the tuning', () => {
  test('is absent from a run without it, and no row is marked', async () => {
    const { html, markdown, json } = await renderReport(sampleInput())
    expect(html + markdown).not.toContain('¶')
    expect(markdown).not.toContain('## Tuning')
    expect((JSON.parse(json) as Computed).computed.tuning).toBeUndefined()
    expect(json).not.toContain('untuned')
  })

  test('shows variants, the chosen options, gaps and the cost', async () => {
    const input = tunedInput()
    const { markdown, json } = await renderReport(input)
    const chosen = chosenOf(input)
    if (chosen?.method !== 'finetune') throw new Error('no variant')
    const options = `epochs ${chosen.epochs}; optimizer.learningRate ${chosen.optimizer?.learningRate}`
    // Five trials of 30 steps; the mean gaps are 1.75 of the chosen and 5 of the written options.
    const row = markdown.split('\n').find((line) => line.startsWith('| finetune | 3 '))
    expect(row).toMatch(
      new RegExp(
        `^\\| finetune \\| 3 \\| 1 \\| variant 2: ${options} \\| 1\\.75 \\| 5\\.00 \\| 5\\.00 – 5\\.00 \\| 150 \\| `,
      ),
    )
    expect(markdown).toContain('Not tuned: rfa.')
    const { tuning = [], results } = (JSON.parse(json) as Computed).computed
    expect(tuning).toMatchObject([{ label: 'finetune', variants: 3, steps: 150 }])
    expect(tuning[0]?.ranking).toMatchObject([
      { variant: 2, method: chosen },
      { variant: 0 },
      { variant: 1, gaps: [{ missing: 'the loss is NaN' }] },
    ])
    expect(results.map(({ label, untuned }) => [label, untuned])).toEqual([
      ['original', undefined],
      ['finetune', undefined],
      ['rfa', true],
      ['retrain, seed 2', undefined],
    ])
  })

  test('has a mark at every row of the results that was not tuned', async () => {
    const input = tunedInput()
    const { html, markdown } = await renderReport(input)
    const terminal = renderTable(results(input), { colour: false })
    expect(html).toMatch(/<th scope="row">rfa ¶/)
    expect(markdown).toMatch(/^\| rfa ¶ \|/m)
    expect(terminal).toMatch(/^rfa ¶ /m)
    for (const text of [html, markdown, terminal]) {
      expect(text).toContain('¶ The method was not tuned')
      expect(text).not.toMatch(/finetune ¶/)
    }
  })

  test('gives the reason if no variant was chosen, and so does the row', async () => {
    const input = tunedInput()
    const round = input.run.plan.tuning?.rows[0]?.rounds
    const { unlearn, evaluate, attack, compare } = input.run.plan.candidates[1] ?? {}
    const reason = 'all 3 variants failed: the loss is NaN'
    const lost = [round?.[0]?.ranking, ...(round?.[1]?.trials ?? []), round?.[1]?.ranking]
    const failed = withoutStages(
      input,
      [...lost, unlearn, evaluate, attack, compare],
      [{ title: 'rank finetune, round 1', reason }],
    )
    const said = `rank finetune, round 1 failed: ${reason}`
    const { markdown, json } = await renderReport(failed)
    expect(markdown).toContain(said)
    expect((JSON.parse(json) as Computed).computed.tuning?.[0]?.ranking).toEqual({ missing: said })
    const row = results(failed).find(({ label }) => label === 'finetune')
    expect(row?.metrics.averageGap).toEqual({ missing: said })
  })
})

test('MLflow has the chosen options as those of the model', () => {
  const input = tunedInput()
  const contents = contentsOf({
    ...input,
    rows: resultsBySeed(input),
    nonce: 'n',
    startedAt: 0,
    ended: { status: 'FINISHED', at: 1 },
  })
  const run = contents.find(({ name }) => name === 'finetune')
  const chosen = chosenOf(input)
  expect(run?.params['method.epochs']).toBe(String(chosen?.method === 'finetune' ? chosen.epochs : NaN))
  expect(run?.params['method.optimizer.learningRate']).toBeDefined()
  expect(run?.tags['zeroshift.stage.tune']).toBe(input.run.plan.tuning?.rows[0]?.rounds.at(-1)?.ranking.key)
})
