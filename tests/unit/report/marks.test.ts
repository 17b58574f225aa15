import { describe, expect, test } from 'vitest'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage } from '../../../experiment/stages/stage.ts'
import { attackAtChance, isOverlapped, marksOf } from '../../../report/marks.ts'
import { outcomeOf } from '../../../report/comparison/outcome.ts'
import { renderComparison } from '../../../report/comparison/render.ts'
import { significant } from '../../../report/format.ts'
import { renderReport, type ReportInput } from '../../../report/report.ts'
import { modelsBehind } from '../../../report/input.ts'
import { results } from '../../../report/results.ts'
import { renderTable } from '../../../report/table.ts'
import { candidate, sampleInput, withManifest, type Options } from './fixtures.ts'
import { htmlTable } from './written-numbers.ts'

const rowOf = (input: ReportInput, label: string) => results(input).find((row) => row.label === label)
const modelsOf = (input: ReportInput, label: string) =>
  modelsBehind(input.run.plan).find((models) => models[0]?.candidate.label === label) ?? []

/** The input with one balanced accuracy of the attack on a row, a seed each. */
function withAttacks(input: ReportInput, label: string, accuracies: readonly number[]): ReportInput {
  return modelsOf(input, label).reduce(
    (changed, { candidate: { attack } }, i) =>
      withManifest(changed, attack, (manifest) => {
        const { accuracy } = manifest.metrics
        const svm = { ...accuracy.svm, confidence: { value: accuracies[i] ?? NaN } }
        return { ...manifest, metrics: { ...manifest.metrics, accuracy: { ...accuracy, svm } } }
      }),
    input,
  )
}

describe('an attack at chance', () => {
  // 240 members and 240 non-members did not train it: Wilson's interval of 480 is ± 4.5 points.
  test.each([
    [50, true],
    [54.3, true],
    [55, false],
    [45, false],
    [72.5, false],
  ])('with a balanced accuracy of %d: %s', (accuracy, expected) => {
    const input = withAttacks(sampleInput(), 'rfa', [accuracy])
    expect(attackAtChance(input, modelsOf(input, 'rfa'), 'svm', 'confidence')).toBe(expected)
    expect(rowOf(input, 'rfa')?.attackAtChance).toBe(expected ? true : undefined)
    expect(rowOf(input, 'finetune')?.attackAtChance).toBeUndefined()
  })

  test('of several seeds, by the interval over seeds', () => {
    const several = sampleInput({ seeds: [{}, {}, {}] })
    expect(rowOf(withAttacks(several, 'rfa', [49, 52, 55]), 'rfa')?.attackAtChance).toBe(true)
    expect(rowOf(withAttacks(several, 'rfa', [53, 54, 55]), 'rfa')?.attackAtChance).toBeUndefined()
  })

  test('is grey on the page, marked in Markdown and dim on a terminal, with a note', async () => {
    const input = withAttacks(sampleInput(), 'rfa', [50])
    const { html, markdown, json } = await renderReport(input)
    expect(html).toMatch(/<td class="faint">100\.00 †/)
    expect(html.match(/class="(split )?faint"/g)).toHaveLength(2)
    expect(html).toContain('The attack is at chance')
    expect(markdown).toMatch(/^\| rfa .*\| 100\.00 † \(0\.00\) \|/m)
    expect(markdown).toContain('† The attack is at chance')
    expect(json).toContain('"attackAtChance": true')
    const text = renderTable(results(input), { colour: true })
    expect(text).toContain('\u001b[2m100.00 †\u001b[22m')
    const other = await renderReport(sampleInput())
    expect(other.html + other.markdown + other.json).not.toMatch(/†|at chance|class="faint|attackAtChance/)
  })
})

describe('a model that has collapsed', () => {
  const of = (ra: number, more: Options = {}) => sampleInput({ models: { finetune: { ra } }, ...more })

  test('is no better than its greatest class on the retained set', () => {
    // Without class 3, digit 1 is the greatest class: 182 of 1614, or 11.3%. With 1132 samples,
    // 13.1% is within chance.
    expect(rowOf(of(13), 'finetune')?.collapsed).toBe(1)
    expect(rowOf(of(4), 'finetune')?.collapsed).toBe(1)
    expect(rowOf(of(14), 'finetune')?.collapsed).toBeUndefined()
    expect(rowOf(of(13), 'rfa')?.collapsed).toBeUndefined()
  })

  test('is counted over seeds, and named in every table', async () => {
    const input = sampleInput({ seeds: [{ finetune: { ra: 10 } }, {}, {}] })
    expect(rowOf(input, 'finetune')?.collapsed).toBe(1)
    const { html, markdown, json } = await renderReport(input)
    expect(htmlTable(html, 'Results').rows.map(([label]) => label)).toContainEqual(
      expect.stringMatching(/^finetune ‡/),
    )
    expect(html).toContain('It has collapsed')
    expect(markdown).toMatch(/^\| finetune ‡ \|/m)
    expect(markdown).toContain('‡ The model is not better than chance')
    expect(json).toContain('"collapsed": 1')
    expect(renderTable(results(input), { colour: false })).toMatch(/^finetune ‡ /m)
  })
})

describe('times that overlapped with other work', () => {
  const withOtherWork = (input: ReportInput, stage: Stage, processes: number, stages = 0) =>
    withManifest(input, stage, (manifest) => ({
      ...manifest,
      clock: { ...manifest.clock, otherWork: { processes, stages } },
    }))

  test('are those with more than a twentieth of it; older manifests say nothing', () => {
    const clock = { seconds: 10, finishedAt: '', environment: { zeroshift: '', node: '', platform: '' } }
    expect(isOverlapped(clock)).toBe(false)
    expect(isOverlapped({ ...clock, otherWork: { processes: 0.5, stages: 0 } })).toBe(false)
    expect(isOverlapped({ ...clock, otherWork: { processes: 0.6, stages: 0 } })).toBe(true)
    expect(isOverlapped({ ...clock, otherWork: { processes: 0, stages: 3 } })).toBe(true)
  })

  test('are not those of other processes on processors that the stage left idle', () => {
    const tensorflow = { version: '2.21.0', device: 'CPU', threads: 2 } as const
    const on = (processors: number, processes: number) =>
      isOverlapped({
        seconds: 10,
        finishedAt: '',
        otherWork: { processes, stages: 0 },
        environment: { zeroshift: '', node: '', platform: '', processors, tensorflow },
      })
    expect([on(2, 9), on(4, 9), on(4, 20), on(4, 21)]).toEqual([true, false, false, true])
  })

  test('are marked in the stages table and at RTE, and change no digest', async () => {
    const input = sampleInput()
    const { unlearn } = candidate(input, 'rfa')
    if (!unlearn) throw new Error('rfa unlearns')
    const busy = withOtherWork(input, unlearn, 9)
    expect(rowOf(busy, 'rfa')?.timesOverlapped).toBe(true)
    expect(rowOf(busy, 'finetune')?.timesOverlapped).toBeUndefined()
    const [before, after] = [await renderReport(input), await renderReport(busy)]
    expect(after.digest).toBe(before.digest)
    const row = htmlTable(after.html, 'Stages').rows.find(([title]) => title === unlearn.title)
    expect(row?.at(-1)).toBe('4.00 §')
    expect(after.markdown).toMatch(/0\.200 § \|$/m)
    expect(after.markdown).toContain('§ The machine did other work while this was timed')
    expect(before.html + before.markdown).not.toContain('§')
    expect(renderTable(results(busy), { colour: false })).toContain('0.200 §')
  })

  test('of gold mark every RTE, since all are ratios to it, but not what was not timed', () => {
    const input = sampleInput()
    const [gold] = input.run.plan.gold
    if (!gold) throw new Error('there is gold')
    const busy = withOtherWork(input, gold, 0, 5)
    expect(marksOf(busy, modelsOf(busy, 'finetune')).timesOverlapped).toBe(true)
    expect(rowOf(busy, 'original')?.timesOverlapped).toBeUndefined()
    expect(rowOf(busy, 'retrain')?.timesOverlapped).toBeUndefined()
  })
})

test('stages tell how many samples their training saw, and how many operations it made', async () => {
  const input = sampleInput()
  const { html } = await renderReport(input)
  const work = new Map(htmlTable(html, 'Stages').rows.map(([title = '', text = '']) => [title, text]))
  // 90 steps of batches of 64. A forward pass has 91,776 multiplications and as many additions.
  const flops = 3 * 5760 * 2 * 91_776
  const { seconds } = input.manifests[input.run.plan.original.key]?.clock ?? { seconds: NaN }
  const rate = flops / seconds / 1e9
  expect(work.get(input.run.plan.original.title)).toBe(
    `90 steps, 5,760 samples seen, 13,242 parameters, 3.17 GFLOP at ${significant(rate)} GFLOP/s`,
  )
  expect(stagesOf(input.run.plan).length).toBe(work.size - 1)
})

test('a comparison keeps and shows the marks of its runs', async () => {
  const marked = { ...withAttacks(sampleInput({ models: { finetune: { ra: 5 } } }), 'rfa', [50]) }
  const outcome = outcomeOf((await renderReport(marked)).json)
  expect(outcome.rows).toMatchObject(
    results(marked).map(({ label, attackAtChance, collapsed }) => ({
      label,
      ...(attackAtChance && { attackAtChance }),
      ...(collapsed && { collapsed }),
    })),
  )
  const untuned = { ...outcome, rows: outcome.rows.map((row) => ({ ...row, untuned: true as const })) }
  const run = { id: 'run-1', values: [], command: './zeroshift run', outcome: untuned }
  const { files } = await renderComparison({ command: './zeroshift compare', columns: [], runs: [run] })
  for (const name of ['index.html', 'report.md']) {
    expect(files[name]).toMatch(/100\.00.{0,20} †/)
    expect(files[name]).toMatch(/ ‡ ¶/)
    expect(files[name]).toContain('The attack is at chance')
    expect(files[name]).toContain('It has collapsed')
    expect(files[name]).toContain('The method was not tuned')
  }
  const tex = files['results.tex']
  expect(tex).toContain('100.00$\\textsuperscript{\\dag{}}')
  expect(tex).toContain('\\textsuperscript{\\ddag{} \\P{}}')
  expect(tex).toContain('\\\\ \\P{} The method was not tuned')
})
