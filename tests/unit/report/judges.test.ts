import { describe, expect, test } from 'vitest'
import { judge } from '../../../report/judgement/judge.ts'
import { renderReport } from '../../../report/report.ts'
import { agreementFigure, agreementRows } from '../../../report/sections/agreement.ts'
import { featuresFigure, featuresRows } from '../../../report/sections/features.ts'
import { ruliFigure, ruliRows } from '../../../report/sections/ruli.ts'
import { candidate, sampleInput, withoutStages, type Options } from './fixtures.ts'

const asked: Options = {
  shadows: 8,
  sections: { ruli: {}, agreement: {}, features: { layers: ['conv2', 'head'] } },
}
const titles = [
  'Attack on vulnerable samples',
  'Agreement with gold, sample by sample',
  'Feature distance to gold',
]

async function sectionOf(title: string, options: Options = asked): Promise<string> {
  const { html } = await renderReport(sampleInput(options))
  return new RegExp(`<h2[^>]*>${title}[\\s\\S]*?</section>`).exec(html)?.[0].replace(/\s+/g, ' ') ?? ''
}

describe('the sections of judges that a config asks for', () => {
  test('are absent, and have no place in the files, where it does not', async () => {
    const { html, markdown, json } = await renderReport(sampleInput({ shadows: 8 }))
    for (const title of titles) expect(html + markdown).not.toContain(title)
    const { computed } = JSON.parse(json) as { computed: object }
    for (const key of ['ruli', 'agreement', 'features']) expect(computed).not.toHaveProperty(key)
  })

  test('put the figures of all rows and seeds into the report', async () => {
    const { json } = await renderReport(sampleInput(asked))
    const { computed } = JSON.parse(json) as { computed: Record<string, { label: string }[]> }
    const labels = ['original', 'retrain', 'finetune', 'rfa', 'rfa mean', 'retrain, seed 2']
    for (const key of ['ruli', 'agreement', 'features'])
      expect(computed[key]?.map(({ label }) => label)).toEqual(labels)
  })

  test('show the attack on the vulnerable and on all samples, with its intervals', async () => {
    const found = await sectionOf('Attack on vulnerable samples')
    expect(found.match(/<table/g)).toHaveLength(2)
    expect(found).toContain('4 shadow models select and 4 others attack')
    expect(found).toMatch(/32 samples of .{1,60} against 15 test samples/)
    const [vulnerable = ''] = found.split('</table>')
    expect(vulnerable).toMatch(/<th scope="row">original<\/th> .*0\.891<br \/><small>\(0\.828 – 0\.953\)/)
    expect(vulnerable).toMatch(/<tbody class="floor"> <tr> <th scope="row">retrain, seed 2<\/th>/)
    const row = ruliRows(sampleInput(asked))?.find(({ label }) => label === 'retrain')
    expect(row && ruliFigure(row, 'vulnerable', 'kernel', 'balancedAccuracy')).toEqual({
      value: 43.75,
      between: [37.5, 50],
    })
  })

  test('show rank and variance on every set, without validation if there is none', async () => {
    const found = await sectionOf('Agreement with gold, sample by sample')
    expect(found).not.toContain('Validation')
    expect(found).toMatch(/<th scope="row">original<\/th> <td class="split">0\.500<\/td> ?<td>1\.50<\/td>/)
    expect(found).toMatch(/<th scope="row">retrain<\/th> <td class="split">1\.00<\/td> ?<td>1\.00<\/td>/)
    const seeds = [{ finetune: { fa: 40 } }, { finetune: { fa: 60 } }]
    const row = agreementRows(sampleInput({ ...asked, seeds }))?.find(({ label }) => label === 'finetune')
    expect(row && agreementFigure(row, 'forget', 'rank')).toMatchObject({ value: 0.75, n: 2 })
  })

  test('show the distance of every layer on both sets', async () => {
    const found = await sectionOf('Feature distance to gold')
    expect(found.match(/<table/g)).toHaveLength(2)
    expect(found.match(/<th scope="col">conv2<\/th> ?<th scope="col">head<\/th>/g)).toHaveLength(2)
    expect(found).toMatch(/<th scope="row">original<\/th> <td>0\.125<\/td> ?<td>0\.250<\/td>/)
    const row = featuresRows(sampleInput(asked))?.find(({ label }) => label === 'original')
    expect(row && featuresFigure(row, 'retained', 'head')).toEqual({ value: 0.0625 })
    expect(row && featuresFigure(row, 'retained', 'other')).toEqual({
      missing: 'the layer other was not compared',
    })
  })

  test('of a row whose model is not there say what became of that', () => {
    const input = sampleInput(asked)
    const { unlearn, evaluate, attack, membership, compare, ruli, agreement, features } = candidate(
      input,
      'rfa',
    )
    const broken = withoutStages(
      input,
      [unlearn, evaluate, attack, membership, compare, ruli, agreement, features],
      [{ title: 'unlearn by rfa', reason: 'it diverged' }],
    )
    for (const rows of [ruliRows(broken), agreementRows(broken), featuresRows(broken)])
      expect(rows?.find(({ label }) => label === 'rfa')?.seeds).toEqual([
        { missing: 'unlearn by rfa failed: it diverged' },
      ])
  })
})

describe('the verdict', () => {
  const ids = [
    'ruli',
    'rank-forget',
    'variance-forget',
    'rank-retained',
    'variance-retained',
    'features-forget',
    'features-retained',
  ]
  const seeds = Array.from({ length: 5 }, (_, i) => ({
    retrain: { fa: i % 2 },
    'retrain, seed 2': { fa: (i + 1) % 2 },
    finetune: { fa: 60 + i },
    rfa: { fa: 1 - (i % 2) },
  }))

  test('uses a criterion only where the run has its stages', () => {
    const of = (options: Options) => judge(sampleInput({ seeds, ...options })).criteria.map(({ id }) => id)
    expect(of({ shadows: 8 }).filter((id) => ids.includes(id))).toEqual([])
    expect(of({ ...asked, seeds }).filter((id) => ids.includes(id))).toEqual(ids)
  })

  test('tells a method from gold by each of them that sees it, and not one that is like gold', () => {
    const judgement = judge(sampleInput({ ...asked, seeds }))
    const outcomes = (label: string) =>
      Object.fromEntries(
        judgement.methods
          .find((method) => method.label === label)
          ?.tests.map((one) => [one.id, one.outcome]) ?? [],
      )
    for (const { id, counts } of judgement.criteria)
      if (ids.includes(id)) expect([id, counts]).toEqual([id, true])
    for (const id of ['ruli', 'rank-forget', 'variance-forget', 'features-forget'])
      expect([id, outcomes('finetune')[id], outcomes('rfa')[id]]).toEqual([id, 'further', 'equivalent'])
  })
})
