import { expect, test } from 'vitest'
import { outcomeOf } from '../../../report/comparison/outcome.ts'
import { judge, withStandings } from '../../../report/judgement/judge.ts'
import { renderReport } from '../../../report/report.ts'
import { notFinished } from '../../../report/input.ts'
import { floorGap, results } from '../../../report/results.ts'
import { candidate, sampleInput, withoutStages } from './fixtures.ts'

test("an outcome has the report's rows with their times, its floor, digest and seconds", async () => {
  const input = sampleInput({ seeds: [{}, { finetune: { fa: 50 } }] })
  const { json, digest } = await renderReport(input)
  expect(outcomeOf(json)).toEqual({
    digest,
    rows: withStandings(results(input), judge(input)),
    floor: floorGap(input),
    seconds: Object.values(input.manifests).reduce((sum, { clock }) => sum + clock.seconds, 0),
    failed: [],
  })
})

test('stages that failed are named, and not those that waited for them', async () => {
  const input = sampleInput()
  const { unlearn, evaluate, attack, compare } = candidate(input, 'finetune')
  const title = unlearn?.title ?? ''
  const { json } = await renderReport(
    withoutStages(input, [unlearn, evaluate, attack, compare], [{ title, reason: 'the loss is not finite' }]),
  )
  const { failed, rows } = outcomeOf(json)
  expect(json).toContain(JSON.stringify(notFinished(evaluate.title)))
  expect(failed).toEqual([title])
  expect(rows.find(({ label }) => label === 'finetune')?.metrics.averageGap).toEqual({
    missing: `${title} failed: the loss is not finite`,
  })
})

test('figures that an earlier version did not know are missing', async () => {
  const { json } = await renderReport(sampleInput())
  const old = json.replace(/"validationGap": \{[^}]*\},?\s*/g, '').replace(/,(\s*\})/g, '$1')
  expect(outcomeOf(old).rows[0]?.metrics.validationGap).toEqual({
    missing: 'the report was written before there was this figure',
  })
})

test('what is no whole report is refused', () => {
  expect(() => outcomeOf('{"computed": {')).toThrow()
  expect(() => outcomeOf('{}')).toThrow()
})
