import { describe, expect, test } from 'vitest'
import { relearnFigure, relearnRows } from '../../../report/sections/relearn.ts'
import { probeFigure, probeRows } from '../../../report/sections/probe.ts'
import { renderReport } from '../../../report/report.ts'
import { candidate, sampleInput, withManifest, withoutStages } from './fixtures.ts'

const section = (html: string, heading: string) =>
  new RegExp(`<h2>${heading}</h2>[\\s\\S]*?</section>`).exec(html)?.[0].replace(/\s+/g, ' ') ?? ''

describe('ZRF', () => {
  test('is a column beside JS, on the floor too', async () => {
    const { html, markdown, results } = await renderReport(sampleInput())
    expect(html.replace(/\s+/g, ' ')).toMatch(/JS.*ZRF.*RTE/)
    expect(markdown).toMatch(/\| JS \| ZRF \| RTE \|/)
    expect(results.at(-1)?.metrics.zrf).toEqual({ value: 0.5 })
  })
})

describe('learning it again', () => {
  test('has no section, and no place in the files, where it was not asked', async () => {
    const { html, markdown, json } = await renderReport(sampleInput())
    expect(html + markdown + json).not.toMatch(/relearn|probe|anamnesis/i)
  })

  test('has steps, and these over those of gold, the floor apart', async () => {
    const { html, markdown, json } = await renderReport(sampleInput({ features: true }))
    const found = section(html, 'Learning it again')
    expect(found).toMatch(/<th scope="row">original<\/th> <td>0<\/td><td>0<\/td>/)
    expect(found).toMatch(/<th scope="row">retrain<\/th> <td>10<\/td><td>1\.00<\/td>/)
    expect(found).toMatch(/<th scope="row">finetune<\/th> <td>4<\/td><td>0\.400<\/td>/)
    expect(found).toMatch(/<tbody class="floor"> <tr> <th scope="row">retrain, seed 2<\/th> <td>10<\/td>/)
    expect(markdown).toMatch(/\| finetune \| 4 \| 0\.400 \|/)
    expect(markdown).toMatch(/\| \*floor: retrain, seed 2\* \| 10 \|/)
    const { computed } = JSON.parse(json) as {
      computed: { relearning: { label: string; seeds: object[] }[] }
    }
    expect(computed.relearning.find(({ label }) => label === 'finetune')?.seeds[0]).toMatchObject({
      steps: { value: 4 },
      ain: { value: 0.4 },
      wanted: 95,
    })
  })

  test('says which model was not done within the steps, and which index lacks gold', async () => {
    const input = sampleInput({ features: true })
    const { relearn } = candidate(input, 'rfa')
    if (!relearn) throw new Error('rfa is asked')
    const late = withManifest(input, relearn, (manifest) => ({
      ...manifest,
      metrics: { ...manifest.metrics, steps: { missing: 'not within 200 steps' } },
    }))
    const { html, markdown } = await renderReport(late)
    expect(section(html, 'Learning it again')).toMatch(/<li id="relearning-1">not within 200 steps<\/li>/)
    expect(markdown).toMatch(/: not within 200 steps/)

    const { reference } = input.run.plan
    const broken = withoutStages(
      input,
      [reference?.relearn],
      [{ title: 'relearn retrain', reason: 'it diverged' }],
    )
    const row = relearnRows(broken)?.find(({ label }) => label === 'finetune')
    expect(row && relearnFigure(row, 'steps')).toEqual({ value: 4 })
    expect(row && relearnFigure(row, 'ain')).toEqual({ missing: 'gold: relearn retrain failed: it diverged' })
  })

  test('compares each seed with its own gold, and averages then', () => {
    const seeds = [{ finetune: { fa: 60 } }, { finetune: { fa: 40 }, retrain: { fa: 40 } }]
    const row = relearnRows(sampleInput({ features: true, seeds }))?.find(({ label }) => label === 'finetune')
    expect(row && relearnFigure(row, 'steps')).toMatchObject({ value: 5, n: 2 })
    expect(row && relearnFigure(row, 'ain')).toMatchObject({ value: 0.7, n: 2 })
  })
})

describe('what the features still know', () => {
  test('has a table for probes and one for CKA on each set, a column for each layer', async () => {
    const { html, markdown } = await renderReport(sampleInput({ features: true }))
    const found = section(html, 'What the features still know')
    expect(found.match(/<table/g)).toHaveLength(3)
    expect(found.match(/<th scope="col">conv2<\/th> ?<th scope="col">head<\/th>/g)).toHaveLength(3)
    expect(found).toMatch(
      /trained on 1,100 samples and tested on 63 forget samples; CKA compares 126 samples/,
    )
    const [accuracy = '', forget = ''] = found.split('</table>')
    expect(accuracy).toMatch(/<th scope="row">original<\/th> <td>100\.00<\/td> ?<td>100\.00<\/td>/)
    expect(forget).toMatch(/<th scope="row">original<\/th> <td>0\.500<\/td> ?<td>0\.500<\/td>/)
    expect(forget).toMatch(/<tbody class="floor"> <tr> <th scope="row">retrain, seed 2<\/th>/)
    expect(found).toMatch(/<li id="probe-forget-1">the features are constant<\/li>/)
    expect(markdown).toMatch(/\| original \| 100\.00 \| 100\.00 \|/)
    expect(markdown).toMatch(/\| finetune \| 0\.677 \| n\/a\[\^\d+\] \|/)
  })

  test('has the ideal first where gold is no row of its own', () => {
    const rows = probeRows(sampleInput({ features: true, methodsOnly: true })) ?? []
    expect(rows.map(({ label }) => label)).toEqual(['gold', 'finetune', 'rfa', 'rfa mean', 'retrain, seed 2'])
  })

  test('of several seeds is their mean, with its interval', () => {
    const seeds = [{ original: { fa: 100 } }, { original: { fa: 96 } }]
    const [original] = probeRows(sampleInput({ features: true, seeds })) ?? []
    expect(original && probeFigure(original, 'accuracy', 'head')).toEqual({
      value: 99,
      n: 2,
      between: [expect.any(Number), expect.any(Number)] as unknown,
    })
  })

  test('of a row whose model is not there says what became of that', () => {
    const input = sampleInput({ features: true })
    const { unlearn, evaluate, attack, compare, relearn, probe } = candidate(input, 'rfa')
    const failed = [{ title: 'unlearn by rfa', reason: 'it diverged' }]
    const broken = withoutStages(input, [unlearn, evaluate, attack, compare, relearn, probe], failed)
    const reason = { missing: 'unlearn by rfa failed: it diverged' }
    expect(probeRows(broken)?.find(({ label }) => label === 'rfa')?.seeds).toEqual([reason])
    const row = relearnRows(broken)?.find(({ label }) => label === 'rfa')
    expect(row && relearnFigure(row, 'steps')).toEqual(reason)
  })
})
