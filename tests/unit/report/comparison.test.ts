import { describe, expect, test } from 'vitest'
import type { Comparison } from '../../../experiment/sweep/comparison.ts'
import { metricColumns, type MetricName } from '../../../experiment/records/results.ts'
import { renderJson } from '../../../report/comparison/json.ts'
import { renderComparison } from '../../../report/comparison/render.ts'
import { latexOf } from '../../../report/render/latex.ts'
import { changedFirst, manyRuns, row, sampleComparison, whyGone, withMetrics } from './comparison-fixture.ts'
import { reversedKeys } from './fixtures.ts'
import { parseCsv } from './written-numbers.ts'

const names = ['index.html', 'report.md', 'report.json', 'results.csv', 'results.tex'] as const

/** Charts take their time: what is not changed is rendered once. */
const unchanged = renderComparison(sampleComparison())

async function rendered(comparison?: Comparison) {
  const { files, digest } = await (comparison ? renderComparison(comparison) : unchanged)
  const file = (name: (typeof names)[number]) => files[name] ?? ''
  return { files, digest, file }
}

describe('the same comparison gives the same bytes', () => {
  test('when rendered again, and with the keys of objects in another order', async () => {
    const once = await unchanged
    expect(Object.keys(once.files)).toEqual(names)
    expect(await renderComparison(sampleComparison())).toEqual(once)
    expect(await renderComparison(reversedKeys(sampleComparison()))).toEqual(once)
  })
})

describe('the digest', () => {
  const before = sampleComparison()

  test('stays the same whatever a clock and a place say', () => {
    const later = renderJson({
      ...before,
      command: './zeroshift compare a b',
      runs: before.runs.map((run) => ({
        ...run,
        link: 'elsewhere.html',
        outcome:
          'missing' in run.outcome
            ? run.outcome
            : {
                ...run.outcome,
                seconds: 1e6,
                rows: run.outcome.rows.map((one) => ({
                  ...one,
                  metrics: { ...one.metrics, rte: { value: 77 } },
                })),
              },
      })),
    })
    const first = renderJson(before)
    expect(later.json).not.toBe(first.json)
    expect(later.digest).toBe(first.digest)
  })

  test.each([
    ['a figure', withMetrics(before, { ua: { value: 1 } })],
    ['a value', changedFirst(before, (run) => ({ ...run, values: ['digits', 2, 'leave-out'] }))],
    ['a reason', changedFirst(before, (run) => ({ ...run, outcome: { missing: 'gone' } }))],
  ])('changes with %s', (_, after) => {
    expect(renderJson(after).digest).not.toBe(renderJson(before).digest)
  })

  test('is in every file that people keep', async () => {
    const { file, digest } = await rendered()
    for (const name of ['index.html', 'report.md', 'report.json', 'results.tex'] as const)
      expect(file(name)).toContain(digest)
  })
})

describe('every run', () => {
  test.each(names)('is in %s', async (name) => {
    const { file } = await rendered()
    for (const { id, values } of sampleComparison().runs) {
      // LaTeX has a line for each by its values.
      if (name === 'results.tex') expect(file(name)).toContain(`    ${values.join(' & ')} & `)
      else expect(file(name)).toContain(id)
    }
  })

  test('that is missing is there with its reason', async () => {
    const { file } = await rendered()
    for (const name of names) expect(file(name)).toContain(whyGone)
    expect(file('index.html')).toContain('2 runs are missing.')
    const gone = parseCsv(file('results.csv')).filter(({ missing }) => missing === whyGone)
    expect(gone).toMatchObject([{ 'data.name': 'cifar10', rank: '16', target: 'leave-out', averageGap: '' }])
  })

  test('without an approximate method is missing too', async () => {
    const { file } = await rendered(
      changedFirst(sampleComparison(), (run) => ({
        ...run,
        outcome:
          'missing' in run.outcome
            ? run.outcome
            : { ...run.outcome, rows: [row('original', 'original', 24)] },
      })),
    )
    for (const name of names.filter((name) => name !== 'report.json'))
      expect(file(name)).toContain('it has no approximate method')
  })
})

test('a figure that is missing is n/a with its reason, never 0', async () => {
  const { file } = await rendered(
    withMetrics(sampleComparison(), { averageGap: { missing: 'the attack had no members' } }),
  )
  for (const name of ['index.html', 'report.md', 'results.tex'] as const) {
    expect(file(name)).toContain('n/a')
    expect(file(name)).toContain('the attack had no members')
  }
  const [first] = parseCsv(file('results.csv'))
  expect(first).toMatchObject({ averageGap: '', averageGap_n: '' })
  expect(first?.missing).toContain('averageGap: the attack had no members')
})

test('original and gold models are no rows', async () => {
  const csv = parseCsv((await rendered()).file('results.csv'))
  expect(csv).toHaveLength(24)
  expect(new Set(csv.map(({ method }) => method))).toEqual(new Set(['rfa', '']))
})

test('CSV gives back every number to the last digit', async () => {
  const comparison = sampleComparison()
  const lines = parseCsv((await rendered(comparison)).file('results.csv'))
  comparison.runs.forEach(({ id, values, outcome }, i) => {
    const line = lines[i] ?? {}
    expect(line).toMatchObject({ run: id, 'data.name': values[0], rank: String(values[1]) })
    if ('missing' in outcome) return
    const own = outcome.rows.find(({ method }) => method === 'rfa')
    for (const name of Object.keys(metricColumns) as MetricName[]) {
      const figure = own?.metrics[name]
      if (figure === undefined || 'missing' in figure) expect(line[name]).toBe('')
      else {
        expect(Number(line[name])).toBe(figure.value)
        expect(Number(line[`${name}_interval`])).toBe(figure.interval)
        expect(Number(line[`${name}_n`])).toBe(3)
      }
    }
    expect(Number(line.floor)).toBe('value' in outcome.floor ? outcome.floor.value : NaN)
    expect(Number(line.seconds)).toBe(outcome.seconds)
  })
})

describe('hostile names', () => {
  const evil = `<script>alert("x")</script> & a|b, *c* _d_ $e$ %f #g {h} ~i ^j \\k \`l\`\n"m"`
  const hostile = (): Comparison => ({
    ...changedFirst(sampleComparison(), (run) => ({
      ...run,
      id: evil,
      link: `"><script>alert(1)</script>|>`,
      values: ['digits', 1, evil],
    })),
    sweep: evil,
    columns: [
      { name: 'data.name', path: 'data.name' },
      { name: evil, path: evil },
      { name: 'target', path: 'methods[2].target' },
    ],
  })

  const rendering = rendered(hostile())

  test('are text in HTML', async () => {
    const page = (await rendering).file('index.html')
    expect(page).not.toMatch(/<script/i)
    expect(page).toContain('&#60;script&#62;')
  })

  test('are text in Markdown, and break no table', async () => {
    const markdown = (await rendering).file('report.md')
    // Every other part is code between fences, in which GitHub finds no markup.
    const parts = markdown.split(/^`{3,}.*$/m)
    expect(parts.filter((_, i) => i % 2 === 0).join('')).not.toMatch(/<script/i)
    expect(markdown).toContain('a\\|b')
    const start = markdown.indexOf('## All figures')
    const table = markdown
      .slice(start)
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(0, 20)
    const cells = table.map((line) => line.replaceAll('\\|', '').split('|').length)
    expect(new Set(cells).size).toBe(1)
  })

  test('are one field in CSV', async () => {
    const lines = parseCsv((await rendering).file('results.csv'))
    expect(lines).toHaveLength(24)
    expect(lines[0]).toMatchObject({ run: evil, [evil]: '1', target: evil })
  })

  test.each(['=cmd|calc!A1', '+1', '-2+3', '@SUM(1)', '\t=1', '\r=1'])(
    'are no formula in CSV: %j',
    async (formula) => {
      const named = changedFirst(sampleComparison(), (run) => ({
        ...run,
        id: formula,
        values: [formula, 1, 'x'],
      }))
      const [line] = parseCsv((await rendered(named)).file('results.csv'))
      expect(line).toMatchObject({ run: `'${formula}`, 'data.name': `'${formula}` })
      // Figures are numbers still, negative ones too.
      expect(Object.values(line ?? {}).filter((text) => text.startsWith("'"))).toHaveLength(2)
    },
  )

  test('at the beginning of a row are not taken for an option of the one before', () => {
    expect(['[1cm] x', '* x', ' [x'].map(latexOf)).toEqual(['{[}1cm] x', '{*} x', '{ [}x'])
  })

  test('are text in LaTeX', () => {
    expect(latexOf('a_b & 50% of $x #1 {y} ~ ^ \\z <t> –')).toBe(
      'a\\_b \\& 50\\% of \\$x \\#1 \\{y\\} \\textasciitilde{} \\textasciicircum{} \\textbackslash{}z \\textless{}t\\textgreater{} --',
    )
  })
})

describe('LaTeX', () => {
  test('has intervals behind \\pm, and as many cells in each line as columns', async () => {
    const tex = (await rendered()).file('results.tex')
    expect(tex).toMatch(/\$\\mathbf\{0\.33\} \\pm 0\.03\$/)
    const [, columns = ''] = /\\begin\{tabular\}\{([lr]+)\}/.exec(tex) ?? []
    const lines = tex.split('\n').filter((line) => line.endsWith(' \\\\'))
    expect(lines.length).toBe(25)
    for (const line of lines) expect(line.split(' & ')).toHaveLength(columns.length)
  })

  test('writes very small numbers as powers of ten', async () => {
    const { file } = await rendered(withMetrics(sampleComparison(), { rte: { value: 1.23e-7 } }))
    expect(file('results.tex')).toContain('$1.23 \\times 10^{-7}$')
  })
})

describe('what a reader wants to know first', () => {
  test('the closest of each data set, since each has gold of its own', async () => {
    const { file } = await rendered()
    expect(file('report.md')).toMatch(
      /\*\*Smallest average gaps to gold: rank 16, target leave-out for digits \(0\.33 ± 0\.03 points\); rank 64, target leave-out for cifar10 \(0\.60 ± 0\.05 points\)\.\*\*/,
    )
    expect(file('index.html').match(/<tr class="closest">/g)).toHaveLength(4)
  })

  test('where all have one gold, the smallest gap, and how it compares with the floor', async () => {
    const all = sampleComparison()
    const digits = { ...all, runs: all.runs.filter(({ values }) => values[0] === 'digits') }
    const { file } = await rendered(digits)
    expect(file('report.md')).toContain(
      'Of 12 method rows, rank 16, target leave-out has the smallest average gap to gold: 0.33 ± 0.03 points.',
    )
    expect(file('report.md')).toContain('and the gap is no greater, which is no test')
  })

  test('that nothing could be compared, where that is so', async () => {
    const all = sampleComparison()
    const { file } = await rendered({
      ...all,
      runs: all.runs.map((run) => ({ ...run, outcome: { missing: 'no luck' } })),
    })
    expect(file('report.md')).toContain('No method could be compared with gold.')
    expect(file('index.html')).not.toContain('<svg')
  })

  test('the method, where runs have several', async () => {
    const two = changedFirst(sampleComparison(), (run) => ({
      ...run,
      outcome:
        'missing' in run.outcome
          ? run.outcome
          : { ...run.outcome, rows: [...run.outcome.rows, row('finetune', 'finetune', 7)] },
    }))
    const { file } = await rendered(two)
    expect(parseCsv(file('results.csv'))).toHaveLength(25)
    expect(file('report.md')).toContain('| Run | data.name | rank | target | method | Avg. gap |')
  })
})

test('early stopping is a table of rungs', async () => {
  const { runs } = sampleComparison()
  const decision = (
    cell: number,
    rung: number,
    value: number,
    decision: 'promoted' | 'stopped' | 'ended',
  ) => ({
    cell,
    values: runs[cell]?.values ?? [],
    rung,
    run: runs[cell]?.id ?? '',
    metric: { value },
    decision,
  })
  const { file } = await rendered(
    sampleComparison({
      halving: {
        metric: 'validationGap',
        factor: 2,
        resource: 'methods[2].steps',
        rungs: [10, 20],
        decisions: [
          decision(0, 0, 1, 'promoted'),
          decision(1, 0, 3, 'stopped'),
          { ...decision(2, 0, 0, 'stopped'), metric: { missing: 'the stage failed' } },
          decision(0, 1, 0.5, 'ended'),
        ],
      },
    }),
  )
  const markdown = file('report.md')
  expect(markdown).toContain('| 1 | 10 | 3 | 1 | 2 | 0 | 1 | 1.00 | 1.00 | 3.00 |')
  expect(markdown).toContain('| 2 | 20 | 1 | 0 | 0 | 1 | 0 | 0.50 | – | – |')
  expect(markdown).toContain('the stage failed')
  expect(file('index.html')).toContain('Every decision')
})

test('2,000 runs are cut down on the page, which says so, and are whole in CSV', async () => {
  const comparison = manyRuns(2000)
  const { file } = await rendered(comparison)
  expect(file('index.html').length).toBeLessThan(2_000_000)
  expect(file('index.html')).toContain('The 300 rows with the smallest average gaps of 2,000')
  expect(file('index.html')).toContain('The first 100 of 200; results.csv has all.')
  expect(file('report.md').length).toBeLessThan(200_000)
  const lines = parseCsv(file('results.csv'))
  expect(lines.map(({ run }) => run)).toEqual(comparison.runs.map(({ id }) => id))
}, 60_000)

test('the page loads nothing and runs nothing', async () => {
  const page = (await rendered()).file('index.html')
  expect(page).toContain(`default-src 'none'; style-src 'unsafe-inline'`)
  expect(page).not.toMatch(/<script|<img|<link|@import|src=/)
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
})
