import { expect } from 'vitest'
import { methods } from '../../../cli/actions/methods.ts'
import { metrics } from '../../../cli/actions/metrics.ts'
import { methodSchemas } from '../../../experiment/spec/methods.ts'
import { metricList, reportsWith } from '../../../experiment/records/metric-list.ts'
import { metricColumns } from '../../../experiment/records/results.ts'
import { test } from '../../support/fixtures.ts'

const linesOf = (text: string) => text.trimEnd().split('\n')

test('methods: every one that a config may name has a line that says what it does', ({ stdout }) => {
  expect(methods(undefined, {})).toBe(0)
  const [heading, ...rest] = linesOf(stdout.text)
  expect(heading).toMatch(/^METHOD +WHAT IT DOES$/)
  expect(rest.map((line) => line.split(/ {2,}/)[0])).toEqual([
    ...methodSchemas.map(({ shape }) => shape.method.value),
    'external',
  ])
  for (const line of rest) expect(line).toMatch(/^[a-z0-9-]+ {2,}\S.{10,}$/)
  expect(stdout.text).toMatch(/^rfa +residual feature alignment with LoRA/m)
})

test('metrics: those of the table first, then those of evaluations and attacks', ({ stdout }) => {
  expect(metrics(undefined, {})).toBe(0)
  const [heading, ...rest] = linesOf(stdout.text)
  expect(heading).toMatch(/^METRIC +IN +UNIT +WHAT IT IS$/)
  const names = rest.map((line) => line.split(/ {2,}/)[0])
  const columns = Object.keys(metricColumns)
  expect(names.slice(0, columns.length)).toEqual(columns)
  expect(new Set(names).size).toBe(names.length)
  expect(stdout.text).toMatch(/^ta +table +% +TA: accuracy on the test set/m)
  expect(stdout.text).toMatch(/^accuracy\.validation +evaluate +% +accuracy on the validation samples$/m)
  expect(stdout.text).toMatch(
    /^efficacy\.svm\.modified-entropy +attack +% +forget samples that the attack calls/m,
  )
})

test('programs get both as one object', ({ stdout }) => {
  methods(undefined, { json: true })
  const first = JSON.parse(stdout.text) as { methods: { name: string; about: string }[] }
  expect(first.methods).toHaveLength(methodSchemas.length + 1)
  expect(first.methods[0]).toEqual({ name: 'original', about: methodSchemas[0].description })
  stdout.clear()
  metrics(undefined, { json: true })
  const second = JSON.parse(stdout.text) as { metrics: object[] }
  expect(second.metrics[0]).toEqual({
    name: 'ra',
    formula: '100 · mean over x ∈ D_r of [argmax_k z_k(x) = y(x)]',
    source: 'standard definition',
    in: 'table',
    unit: '%',
    about: `RA: ${metricColumns.ra.about}`,
  })
})

const names = methodSchemas.map(({ shape }) => shape.method.value)

test('methods NAME: every one with its options, its source and what it reads', ({ stdout }) => {
  for (const name of names) {
    stdout.clear()
    expect(methods(name, {})).toBe(0)
    expect(stdout.text).toMatch(new RegExp(`^${name}  \\S`))
    expect(stdout.text).toMatch(/^Paper {2}\S.{10,}$/m)
    expect(stdout.text).toMatch(
      name === 'retrain' ? /^Reads {2}the retained set$/m : /^Reads {2}the original model/m,
    )
    expect(stdout.text).toMatch(/^ {2}label {2}text$/m)
  }
  expect(stdout.text).toMatch(
    /^ {2}rank {2}whole number \(at least 1\); default 4\n {6}rank r of the adapters/m,
  )
  expect(stdout.text).toMatch(/^ {2}lambda +0\.1 to 10 times the row's own$/m)
})

test('methods NAME --json: defaults are values, and required options are marked', ({ stdout }) => {
  methods('finetune', { json: true })
  const found = JSON.parse(stdout.text) as Readonly<Record<string, unknown>>
  expect(found).toMatchObject({
    name: 'finetune',
    reads: ['retained'],
    searchSpace: { epochs: { times: [0.5, 2] } },
  })
  expect(found.options).toContainEqual({
    name: 'epochs',
    type: 'number (above 0)',
    required: true,
    meaning: 'may be a fraction: 0.5 is half a pass',
  })
  expect(found.options).toContainEqual(
    expect.objectContaining({ name: 'schedule', required: false, default: { name: 'constant' } }),
  )
})

test('metrics NAME: formula, unit, source and the reports that have it', ({ stdout }) => {
  expect(metrics('ua', {})).toBe(0)
  expect(stdout.text).toMatch(/^ua {2}UA: 100 − accuracy on the forget set$/m)
  expect(stdout.text).toMatch(/^Formula {2}100 − FA/m)
  expect(stdout.text).toMatch(/^Unit {5}%$/m)
  expect(stdout.text).toMatch(/^Source {3}Fan et al\. 2024 \(SalUn\)$/m)
  expect(stdout.text).toMatch(/^Reports {2}every report, in the table of results$/m)
})

test.each([
  ['klom.forget', 'reports of experiments with 3 `seeds` or more'],
  ['forget.lira.auc', 'reports of experiments with the section `shadow`'],
  ['accuracy.validation', 'every report'],
])('the reports that have %s are %s', (name, reports) => {
  const metric = metricList.find((one) => one.name === name)
  expect(metric && reportsWith(metric.in)).toBe(reports)
})

test.each([
  ['a method', () => methods('scrubb', {}), /there is no method 'scrubb'; did you mean "scrub"\?/],
  ['a metric', () => metrics('klom', {}), /there is no metric 'klom'; did you mean klom\.forget/],
])('an unknown name of %s is refused with the closest one', (_, show, message) => {
  expect(show).toThrow(message)
})
