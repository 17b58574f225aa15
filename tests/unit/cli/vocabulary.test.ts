import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { methods } from '../../../cli/actions/methods.ts'
import { metrics } from '../../../cli/actions/metrics.ts'
import { methodSchemas } from '../../../experiment/spec/methods.ts'
import { metricColumns } from '../../../experiment/records/results.ts'

let said: string
beforeEach(() => {
  said = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += chunk.toString()
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const lines = () => said.trimEnd().split('\n')

test('methods: every one that a config may name has a line that says what it does', () => {
  expect(methods({})).toBe(0)
  const [heading, ...rest] = lines()
  expect(heading).toMatch(/^METHOD +WHAT IT DOES$/)
  expect(rest.map((line) => line.split(/ {2,}/)[0])).toEqual(
    methodSchemas.map(({ shape }) => shape.method.value),
  )
  for (const line of rest) expect(line).toMatch(/^[a-z0-9-]+ {2,}\S.{10,}$/)
  expect(said).toMatch(/^rfa +residual feature alignment with LoRA/m)
})

test('metrics: those of the table first, then those of evaluations and attacks', () => {
  expect(metrics({})).toBe(0)
  const [heading, ...rest] = lines()
  expect(heading).toMatch(/^METRIC +IN +UNIT +WHAT IT IS$/)
  const names = rest.map((line) => line.split(/ {2,}/)[0])
  const columns = Object.keys(metricColumns)
  expect(names.slice(0, columns.length)).toEqual(columns)
  expect(new Set(names).size).toBe(names.length)
  expect(said).toMatch(/^ta +table +% +TA: accuracy on the test set/m)
  expect(said).toMatch(/^accuracy\.validation +evaluate +% +accuracy on the validation samples$/m)
  expect(said).toMatch(/^efficacy\.svm\.modified-entropy +attack +% +forget samples that the attack calls/m)
})

test('programs get both as one object', () => {
  methods({ json: true })
  const first = JSON.parse(said) as { methods: { name: string; about: string }[] }
  expect(first.methods).toHaveLength(methodSchemas.length)
  expect(first.methods[0]).toEqual({ name: 'original', about: methodSchemas[0].description })
  said = ''
  metrics({ json: true })
  const second = JSON.parse(said) as { metrics: object[] }
  expect(second.metrics[0]).toEqual({
    name: 'ra',
    in: 'table',
    unit: '%',
    about: `RA: ${metricColumns.ra.about}`,
  })
})
