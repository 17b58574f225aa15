import { describe, expect, test } from 'vitest'
import { judgingStagesOf } from '../../../experiment/stages/stage-list.ts'
import { membershipRows, shadowFigure } from '../../../report/sections/membership.ts'
import { renderReport } from '../../../report/report.ts'
import { candidate, sampleInput, withManifest, withoutStages } from './fixtures.ts'

const sectionOf = (html: string) =>
  /Membership inference from shadow models[\s\S]*?<\/section>/.exec(html)?.[0].replace(/\s+/g, ' ')

describe('membership inference from shadow models', () => {
  test('has no section, and no place in the files, where there are none', async () => {
    const { html, markdown, json } = await renderReport(sampleInput())
    expect(html + markdown + json).not.toMatch(/shadow|"membership"/i)
  })

  test('has a table for the forget set and one for the retained set, the floor apart', async () => {
    const input = sampleInput({ shadows: 8 })
    const { html, markdown } = await renderReport(input)
    const section = sectionOf(html) ?? ''
    expect(section.match(/<table/g)).toHaveLength(2)
    const [forget = ''] = section.split('</table>')
    expect(forget).toMatch(/126 samples of it against 59 test samples/)
    expect(forget).toMatch(
      /<th scope="row">original<\/th> <td class="split">0\.750<br \/><small>\(0\.719 – 0\.781\)<\/small><\/td>/,
    )
    expect(forget).toMatch(/<th scope="row">retrain<\/th> <td class="split">0\.500/)
    expect(forget).toMatch(/<tbody class="floor"> <tr> <th scope="row">retrain, seed 2<\/th>/)
    expect(section).toMatch(/id="membership-forget-1">a false-positive rate of 1% needs 1000 non-members/)
    expect(section).toMatch(/4 shadow models that trained on it and 4 that did not, which is few/)
    expect(markdown).toMatch(/\| original \| 0\.750 \(0\.719 – 0\.781\) \| n\/a\[\^\d+\] \|/)
    expect(markdown).toMatch(/\| \*floor: retrain, seed 2\* \| 0\.500/)
  })

  test('says nothing of few models where there are many', async () => {
    const many = sampleInput({ shadows: 64 })
    const input = judgingStagesOf(many.run.plan, 'membership').reduce(
      (changed, stage) =>
        withManifest(changed, stage, (manifest) => ({
          ...manifest,
          metrics: { ...manifest.metrics, models: 64, variance: 'per-sample' as const },
        })),
      many,
    )
    expect((await renderReport(input)).html).not.toMatch(/shadow models that trained on it/)
  })

  test('has the ideal first where gold is no row of its own', () => {
    const rows = membershipRows(sampleInput({ shadows: 8, methodsOnly: true })) ?? []
    expect(rows.map(({ label }) => label)).toEqual(['gold', 'finetune', 'rfa', 'rfa mean', 'retrain, seed 2'])
    const own = membershipRows(sampleInput({ shadows: 8 })) ?? []
    expect(own.map(({ label }) => label)).not.toContain('gold')
  })

  test('of several seeds is their mean, with its interval', () => {
    const seeds = [{ original: { fa: 100 } }, { original: { fa: 96 } }]
    const [original] = membershipRows(sampleInput({ shadows: 8, seeds })) ?? []
    expect(original && shadowFigure(original, 'forget', 'lira', 'auc')).toEqual({
      value: expect.closeTo(0.745, 10) as number,
      n: 2,
      interval: expect.any(Number) as number,
    })
  })

  test('gives true-positive rates in percent', () => {
    const input = sampleInput({ shadows: 8 })
    const { membership } = candidate(input, 'rfa')
    if (!membership) throw new Error('rfa is attacked')
    const changed = withManifest(input, membership, (manifest) => {
      const { forget } = manifest.metrics.sets
      const lira = { ...forget.attacks.lira, tprAt1: { value: 0.25, interval: [0.125, 0.5] as const } }
      const sets = { ...manifest.metrics.sets, forget: { ...forget, attacks: { ...forget.attacks, lira } } }
      return { ...manifest, metrics: { ...manifest.metrics, sets } }
    })
    const row = membershipRows(changed)?.find(({ label }) => label === 'rfa')
    expect(row && shadowFigure(row, 'forget', 'lira', 'tprAt1')).toEqual({
      value: 25,
      between: [12.5, 50],
    })
  })

  test('a shadow model that failed is why all its figures are missing; the rest stands', async () => {
    const input = sampleInput({ shadows: 8 })
    const { models, pool } = input.run.plan.shadow ?? { models: [] }
    const broken = withoutStages(
      input,
      [models[2], pool, ...judgingStagesOf(input.run.plan, 'membership')],
      [{ title: 'train shadow 3', reason: 'the loss is not finite' }],
    )
    const { html, markdown, json, results } = await renderReport(broken)
    const reason = 'train shadow 3 failed: the loss is not finite'
    expect(sectionOf(html)?.split(`>${reason}</li>`)).toHaveLength(3)
    expect(markdown).toContain(`: ${reason}`)
    const { computed } = JSON.parse(json) as { computed: { membership: { seeds: object[] }[] } }
    for (const { seeds } of computed.membership) expect(seeds).toEqual([{ missing: reason }])
    expect(results).toEqual((await renderReport(input)).results)
  })

  test('of a row whose model is not there says what became of that', () => {
    const input = sampleInput({ shadows: 8 })
    const { unlearn, evaluate, attack, membership, compare } = candidate(input, 'rfa')
    const broken = withoutStages(
      input,
      [unlearn, evaluate, attack, membership, compare],
      [{ title: 'unlearn by rfa', reason: 'it diverged' }],
    )
    const rows = membershipRows(broken) ?? []
    expect(rows.find(({ label }) => label === 'rfa')?.seeds).toEqual([
      { missing: 'unlearn by rfa failed: it diverged' },
    ])
    expect(rows.find(({ label }) => label === 'original')?.seeds[0]).toHaveProperty('sets')
  })
})
