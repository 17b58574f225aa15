import { expect } from 'vitest'
import { methods } from '../../../cli/actions/methods.ts'
import { metrics } from '../../../cli/actions/metrics.ts'
import { methodSchemas } from '../../../experiment/spec/methods.ts'
import { metricColumns } from '../../../experiment/records/results.ts'
import { test } from '../../support/fixtures.ts'

const linesOf = (text: string) => text.trimEnd().split('\n')

test('methods: every one that a config may name has a line that says what it does', ({ stdout }) => {
  expect(methods({})).toBe(0)
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
  expect(metrics({})).toBe(0)
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
  methods({ json: true })
  const first = JSON.parse(stdout.text) as { methods: { name: string; about: string }[] }
  expect(first.methods).toHaveLength(methodSchemas.length + 1)
  expect(first.methods[0]).toEqual({ name: 'original', about: methodSchemas[0].description })
  stdout.clear()
  metrics({ json: true })
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
