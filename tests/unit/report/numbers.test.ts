import { describe, expect, test } from 'vitest'
import type { Measured } from '../../../experiment/records/measured.ts'
import { metricColumns, type Figure, type MetricName } from '../../../experiment/records/results.ts'
import { renderComparison } from '../../../report/comparison/render.ts'
import { overviewOf } from '../../../report/comparison/overview.ts'
import { terminalRows } from '../../../report/comparison/files.ts'
import { judge } from '../../../report/judgement/judge.ts'
import { renderReport } from '../../../report/report.ts'
import { renderTable } from '../../../report/table.ts'
import { verdict } from '../../../report/verdict.ts'
import { results } from '../../../report/results.ts'
import { sampleComparison } from './comparison-fixture.ts'
import { sampleInput, withPopulations, type Options } from './fixtures.ts'
import {
  expectNumbers,
  htmlTable,
  markdownTables,
  matches,
  numbersIn,
  parseCsv,
  texRows,
  type WrittenTable,
} from './written-numbers.ts'

/**
 * Every number that a reader sees is one of report.json's, in the unit that the table says, within
 * rounding.
 */

/** t₀.₉₇₅ of one degree of freedom and of two. */
const quantiles = [NaN, 12.706204736174698, 4.302652729749464]

const seeds: NonNullable<Options['seeds']> = [
  { rfa: { ra: 98.12, fa: 1.59, mia: 97.62, seconds: 3.1 }, retrain: { ta: 97.08, seconds: 21 } },
  { rfa: { ra: 98.9, fa: 0.79, mia: 96.83, seconds: 4.4 }, retrain: { ta: 96.67, seconds: 19.5 } },
  {
    rfa: { ra: 99.21, mia: 99.21, seconds: 5.2 },
    retrain: { ta: 97.5, seconds: 20.25 },
    finetune: { fa: 60 },
  },
]
/** Populations of 64 models have all of their figures; there are as many in no fixture. */
const input = sampleInput({ seeds, features: true, shadows: 8 })
const populated = await renderReport(withPopulations(input, 64))
const rendered = await renderReport(input)

interface Row {
  readonly label: string
  readonly metrics: Readonly<Record<string, Figure>>
}
interface Estimated {
  readonly value?: number
  readonly interval?: readonly [number, number]
}
interface Json {
  readonly computed: {
    readonly results: readonly Row[]
    readonly seeds: readonly (readonly Row[])[]
    readonly population: readonly {
      readonly label: string
      readonly uLira: Estimated
      readonly klom: Readonly<
        Record<'forget' | 'retained' | 'test', { mean: Estimated; percentile95: Estimated }>
      >
      readonly forgettingQuality: Readonly<Record<'forgetting' | 'score', Estimated>>
    }[]
    readonly relearning: readonly {
      readonly label: string
      readonly seeds: readonly Record<string, Measured>[]
    }[]
    readonly probes: readonly {
      readonly label: string
      readonly seeds: readonly {
        readonly layers: readonly {
          readonly name: string
          readonly accuracy: Measured
          readonly cka: Readonly<Record<'forget' | 'retained', Measured>>
        }[]
      }[]
    }[]
    readonly membership: readonly {
      readonly label: string
      readonly seeds: readonly {
        readonly sets: Readonly<
          Record<string, { readonly attacks: Readonly<Record<string, Readonly<Record<string, Estimated>>>> }>
        >
      }[]
    }[]
    readonly judgement: {
      readonly criteria: readonly { readonly id: string; readonly counts: boolean }[]
      readonly methods: readonly {
        readonly label: string
        readonly excess?: number
        readonly tests: readonly {
          readonly id: string
          readonly test: { readonly mean: number; readonly interval90: readonly [number, number] }
        }[]
      }[]
    }
    readonly forgottenTest: readonly { readonly label: string; readonly accuracy: Figure }[]
    readonly floor: Figure
  }
  readonly clock: {
    readonly rte: readonly { readonly label: string; readonly rte: Figure }[]
    readonly stages: readonly { readonly title: string; readonly seconds: number }[]
  }
}
const { computed, clock } = JSON.parse(rendered.json) as Json
const { population } = (JSON.parse(populated.json) as Json).computed

/** Computed here from the seeds' own values, apart from report/over-seeds.ts. */
function meanOf(
  values: readonly (number | undefined)[],
  [least, most]: readonly [number, number] = [-Infinity, Infinity],
): readonly number[] {
  const known = values.filter((value) => value !== undefined)
  if (known.length === 0) return []
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  if (known.length === 1) return [mean]
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const half = (quantiles[known.length - 1] ?? NaN) * Math.sqrt(squares / (known.length - 1) / known.length)
  if (mean - half >= least && mean + half <= most) return [mean, half]
  if (most === Infinity) return [mean, mean * Math.exp(-half / mean), mean * Math.exp(half / mean)]
  const share = (mean - least) / (most - least)
  const onLogits = half / (most - least) / (share * (1 - share))
  const logit = Math.log(share / (1 - share))
  return [
    mean,
    ...[logit - onLogits, logit + onLogits].map((x) => least + (most - least) / (1 + Math.exp(-x))),
  ]
}
const valueOf = (measured: Estimated | Measured | undefined) =>
  measured !== undefined && 'value' in measured ? measured.value : undefined

/** The numbers in the cell of a figure: its value, and half of its interval or both ends. */
function shown(figure: Figure | undefined): readonly number[] {
  if (figure === undefined || 'missing' in figure) return []
  const { value, interval, between } = figure
  return [value, ...(between ?? (interval === undefined ? [] : [interval]))]
}

function figureOf(label: string, name: MetricName): Figure | undefined {
  if (name === 'rte') return clock.rte.find((one) => one.label === label)?.rte
  return computed.results.find((one) => one.label === label)?.metrics[name]
}

const goldNames: readonly MetricName[] = ['ra', 'ua', 'ta', 'mia']

/** The figure and, beside the four figures that gold has too, the difference to it. */
function resultCell(label: string, name: MetricName): readonly number[] {
  const own = figureOf(label, name)
  const gold = goldNames.includes(name) ? valueOf(figureOf('retrain', name)) : undefined
  const value = valueOf(own)
  return [...shown(own), ...(gold === undefined || value === undefined ? [] : [value - gold])]
}

/** The words below a method's label. */
const standing = / (told from gold|equivalent within δ|undecided|none closer)(; none closer)?$/

/** Every cell of a table whose columns are known, by label and column. */
function checkTable(
  { header, rows }: WrittenTable,
  expected: (label: string, column: number) => readonly number[] | undefined,
  where: string,
): void {
  expect(rows.length, where).toBeGreaterThan(0)
  for (const [label = '', ...cells] of rows)
    cells.forEach((cell, i) => {
      const name = label.replace(standing, '')
      const numbers = expected(name, i)
      if (numbers) expectNumbers(cell, numbers, `${where}, ${name}, ${header[i + 1] ?? i}`)
    })
}

const shownNames = (Object.keys(metricColumns) as MetricName[]).filter((name) => name !== 'validationGap')

function populationCell(label: string, column: number): readonly number[] {
  const row = population.find((one) => one.label === label)
  if (!row) return []
  const { uLira, klom, forgettingQuality } = row
  if (column === 0) return [uLira.value ?? [], uLira.interval ?? []].flat()
  const set = (['forget', 'retained', 'test'] as const)[column - 1]
  if (set) return [klom[set].mean.value, klom[set].percentile95.value].flatMap((one) => one ?? [])
  return [forgettingQuality[column === 4 ? 'forgetting' : 'score'].value].flatMap((one) => one ?? [])
}

function membershipCell(set: string, label: string, column: number): readonly number[] {
  const attack = ['lira', 'liraOffline', 'rmia'][Math.floor(column / 3)] ?? ''
  const name = ['auc', 'tprAt1', 'tprAt01'][column % 3] ?? ''
  const row = computed.membership.find((one) => one.label === label)
  const values = row?.seeds.map(({ sets }) => valueOf(sets[set]?.attacks[attack]?.[name])) ?? []
  return meanOf(
    values.map((value) => (value === undefined ? undefined : name === 'auc' ? value : 100 * value)),
    [0, name === 'auc' ? 1 : 100],
  )
}

/** After the verdict: the worst excess, then each criterion's mean and interval. */
function judgementCell(label: string, column: number): readonly number[] | undefined {
  const method = computed.judgement.methods.find((one) => one.label === label)
  if (!method || column === 0) return undefined
  if (column === 1) return [method.excess ?? []].flat()
  const counting = computed.judgement.criteria.filter(({ counts }) => counts)
  const found = method.tests.find(({ id }) => id === counting[column - 2]?.id)
  return found ? [found.test.mean, ...found.test.interval90] : []
}

function forgottenCell(label: string): readonly number[] {
  return shown(computed.forgottenTest.find((one) => one.label === label)?.accuracy)
}

function relearnCell(label: string, column: number): readonly number[] {
  const row = computed.relearning.find((one) => one.label === label)
  return meanOf(row?.seeds.map((one) => valueOf(one[column === 0 ? 'steps' : 'ain'])) ?? [], [0, Infinity])
}

function probeCell(of: 'accuracy' | 'forget' | 'retained', label: string, column: number): readonly number[] {
  const row = computed.probes.find((one) => one.label === label)
  return meanOf(
    row?.seeds.map(({ layers }) => {
      const layer = layers[column]
      return valueOf(of === 'accuracy' ? layer?.accuracy : layer?.cka[of])
    }) ?? [],
    [0, of === 'accuracy' ? 100 : 1],
  )
}

describe('the page of a run', () => {
  const table = (name: string) => htmlTable(rendered.html, name)

  test('has the results of report.json', () => {
    const found = table('Results')
    expect(found.header).toHaveLength(shownNames.length + 1)
    expect(found.rows.map(([label]) => label?.replace(standing, ''))).toEqual(
      computed.results.map(({ label }) => label),
    )
    checkTable(found, (label, i) => resultCell(label, shownNames[i] ?? 'ra'), 'page, results')
  })

  test('has the tests of report.json', () => {
    checkTable(table('Against another gold model'), judgementCell, 'page, judgement')
  })

  test('has its populations, memberships, relearning, probes and times', () => {
    checkTable(htmlTable(populated.html, 'Populations'), populationCell, 'page, populations')
    for (const set of ['forget', 'retained'])
      checkTable(
        table(`Shadow models, ${set} set`),
        (label, i) => membershipCell(set, label, i),
        `page, membership, ${set}`,
      )
    checkTable(table('Learning it again'), relearnCell, 'page, relearning')
    checkTable(
      table('Stages'),
      (title, i) => {
        const seconds = clock.stages.find((one) => one.title === title)?.seconds
        return i === 3 && seconds !== undefined ? [seconds] : undefined
      },
      'page, stages',
    )
  })

  test('has the accuracies on forgotten classes', () => {
    const found = table('Test samples of the forgotten classes')
    expect(found.rows).toHaveLength(computed.forgottenTest.length)
    checkTable(found, forgottenCell, 'page, forgotten classes')
  })
})

describe('the Markdown of a run', () => {
  test('has the figures of report.json in every table', () => {
    const [judged, main, forgotten, attacks, forget, retained, , relearning, ...others] = markdownTables(
      rendered.markdown,
    )
    const populations = markdownTables(populated.markdown)[6]
    if (!main || !judged || !forgotten || !attacks || !forget || !retained || !populations || !relearning)
      throw new Error('a table is not there')
    checkTable(main, (label, i) => resultCell(label, shownNames[i] ?? 'ra'), 'Markdown, results')
    checkTable(judged, judgementCell, 'Markdown, judgement')
    checkTable(forgotten, forgottenCell, 'Markdown, forgotten classes')
    // The second attack is MIA of the results. Its own accuracy is 72.5% in every seed.
    checkTable(
      attacks,
      (label, i) => (i === 1 ? [...shown(figureOf(label, 'mia')), 72.5, 0] : undefined),
      'Markdown, attacks',
    )
    checkTable(forget, (label, i) => membershipCell('forget', label, i), 'Markdown, membership, forget')
    checkTable(retained, (label, i) => membershipCell('retained', label, i), 'Markdown, membership, retained')
    checkTable(populations, populationCell, 'Markdown, populations')
    checkTable(relearning, relearnCell, 'Markdown, relearning')
    // The probes and the cost, which cost.test.ts compares.
    expect(others).toHaveLength(4)
    const probes = others.slice(0, 3)
    probes.forEach((table, i) => {
      const of = (['accuracy', 'forget', 'retained'] as const)[i] ?? 'accuracy'
      checkTable(table, (label, column) => probeCell(of, label, column), `Markdown, probes, ${of}`)
    })
  })
})

describe('the terminal table', () => {
  test('has the figures of report.json, intervals below them', () => {
    const lines = renderTable(results(input), { colour: false }).split('\n')
    const names = ['ra', 'ua', 'ta', 'mia', 'averageGap', 'gapWithoutMia', 'activationForget', 'rte'] as const
    for (const { label } of computed.results) {
      const at = lines.findIndex((line) => line.replace(/^floor: /, '').startsWith(`${label} `))
      const own =
        lines[at]
          ?.replace(/^floor: /, '')
          .slice(label.length)
          .replace('*', '') ?? ''
      const figures = names.map((name) => figureOf(label, name))
      const below = (line: number) => figures.flatMap((figure) => shown(figure).slice(line, line + 1))
      ;[own, lines[at + 1] ?? '', below(2).length > 0 ? (lines[at + 2] ?? '') : ''].forEach((text, line) => {
        expectNumbers(text, below(line), `terminal, ${label}`)
      })
    }
  })
})

describe('the verdict', () => {
  /** Every figure with its interval. */
  const figures = [
    ...computed.results.flatMap(({ metrics }) => Object.values(metrics)),
    ...clock.rte.map(({ rte }) => rte),
    computed.floor,
  ].flatMap((figure) => ('value' in figure ? [[figure.value, figure.interval]] : []))
  const percents = clock.rte.flatMap(({ rte }) =>
    'value' in rte ? [[100 * rte.value, 100 * (rte.interval ?? NaN)]] : [],
  )
  const { headline, details } = verdict(input, results(input), judge(input))
  const text = [headline, ...details].join(' ')

  test('has figures and intervals that belong together', () => {
    const found = [...text.matchAll(/([−\d.,]+) ± ([\d.,]+)(%?)/g)]
    expect(found.length).toBeGreaterThan(2)
    for (const [whole, value = '', interval = '', unit] of found) {
      const [a, b] = [numbersIn(value)[0], numbersIn(interval)[0]]
      if (!a || !b) throw new Error(`"${whole}" has no two numbers`)
      const known = unit === '%' ? percents : figures
      expect(
        known.some(([mean, half]) => matches(a, mean ?? NaN) && matches(b, half ?? NaN)),
        `no figure of report.json is ${whole}`,
      ).toBe(true)
    }
  })

  test('has the distances beyond the floor of its tests, in δ', () => {
    const found = [...text.matchAll(/([−\d.,]+) δ/g)].flatMap(([, value = '']) => numbersIn(value))
    expect(found.length).toBeGreaterThan(1)
    const known = computed.judgement.methods.flatMap(({ excess }) => excess ?? [])
    for (const value of found) expect(known.some((one) => matches(value, one))).toBe(true)
  })

  test('has the times of the stages', () => {
    const [, own = '', retraining = ''] = /: ([\d.]+) s against ([\d.]+) s/.exec(text) ?? []
    const mean = (title: RegExp) => {
      const seconds = clock.stages.filter((stage) => title.test(stage.title)).map((stage) => stage.seconds)
      return seconds.reduce((sum, one) => sum + one, 0) / seconds.length
    }
    expectNumbers(own, [mean(/^unlearn by rfa, seed/)], 'verdict')
    expectNumbers(retraining, [mean(/^train gold, seed/)], 'verdict')
  })
})

describe('a comparison', () => {
  const comparison = sampleComparison()
  const files = renderComparison(comparison)
  interface ComparedRow extends Row {
    readonly method: string
  }
  interface ComparedJson {
    readonly computed: {
      readonly runs: readonly {
        readonly id: string
        readonly values: readonly (string | number)[]
        readonly results?: readonly ComparedRow[]
        readonly floor?: Figure
      }[]
    }
    readonly clock: {
      readonly runs: readonly {
        readonly id: string
        readonly rte?: readonly { label: string; rte: Figure }[]
      }[]
    }
  }
  const names: readonly MetricName[] = [
    'averageGap',
    'gapWithoutMia',
    'ua',
    'ra',
    'ta',
    'mia',
    'activationForget',
    'validationGap',
    'rte',
  ]

  async function written() {
    const known = (await files).files
    const json = JSON.parse(known['report.json'] ?? '') as ComparedJson
    const figure = (id: string, name: MetricName | 'floor') => {
      const run = json.computed.runs.find((one) => one.id === id)
      if (name === 'floor') return run?.floor
      if (name === 'rte')
        return json.clock.runs.find((one) => one.id === id)?.rte?.find(({ label }) => label === 'rfa')?.rte
      return run?.results?.find(({ method }) => method === 'rfa')?.metrics[name]
    }
    return { known, json, figure }
  }
  const runAt = (json: ComparedJson, values: readonly (string | undefined)[]) =>
    json.computed.runs.find((run) => run.values.every((value, i) => String(value) === values[i]))?.id ?? ''

  test('has its figures in Markdown', async () => {
    const { known, json, figure } = await written()
    const tables = markdownTables(known['report.md'] ?? '')
    const all = tables.find(({ header }) => header[0] === 'Run')
    if (!all) throw new Error('there is no table of all figures')
    expect(all.rows).toHaveLength(json.computed.runs.length)
    for (const cells of all.rows) {
      const id = runAt(json, cells.slice(1, 4))
      ;[...names, 'floor' as const].forEach((name, i) => {
        expectNumbers(cells[i + 4] ?? '', shown(figure(id, name)), `Markdown, ${id}, ${name}`)
      })
    }
  })

  test('has its figures in LaTeX', async () => {
    const { known, json, figure } = await written()
    const [, ...rows] = texRows(known['results.tex'] ?? '')
    expect(rows).toHaveLength(json.computed.runs.length)
    for (const cells of rows) {
      const id = runAt(json, cells.slice(0, 3))
      ;[...names, 'floor' as const].forEach((name, i) => {
        expectNumbers(cells[i + 3] ?? '', shown(figure(id, name)), `TeX, ${id}, ${name}`)
      })
    }
  })

  test('has its figures on a terminal', async () => {
    const { figure } = await written()
    const [header = [], ...rows] = terminalRows(overviewOf(comparison)).rows
    const shownThere = ['averageGap', 'ua', 'ra', 'ta', 'mia', 'rte', 'floor'] as const
    const first = header.indexOf('Avg. gap')
    for (const cells of rows.filter((cells) => !cells.includes('missing')))
      shownThere.forEach((name, i) => {
        expectNumbers(cells[first + i] ?? '', shown(figure(cells[0] ?? '', name)), `terminal, ${name}`)
      })
  })

  test('has its figures in CSV, to the last digit', async () => {
    const { known, figure } = await written()
    for (const line of parseCsv(known['results.csv'] ?? '')) {
      if (line.label === '') continue
      for (const name of [...names, 'floor' as const]) {
        const [value, interval] = shown(figure(line.run ?? '', name))
        expect(line[name]).toBe(value === undefined ? '' : String(value))
        expect(line[`${name}_interval`]).toBe(interval === undefined ? '' : String(interval))
      }
    }
  })
})
