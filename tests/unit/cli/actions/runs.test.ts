import { expect, test } from 'vitest'
import { queryOf, runs } from '../../../../cli/actions/runs.ts'
import { UserError } from '../../../../common/errors.ts'

test('all runs are asked for unless there is a filter', () => {
  expect(queryOf({})).toEqual({
    text: "WorkflowType = 'experiment'",
    byAttribute: false,
    none: 'no runs yet',
  })
})

test('filters combine', () => {
  const asked = { data: 'digits', method: 'rfa', rank: '4', status: 'failed', config: '0a1b2c3d', sweep: 's' }
  expect(queryOf(asked)).toEqual({
    text: [
      "WorkflowType = 'experiment'",
      "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut')",
      "ZeroshiftDataset = 'digits'",
      "ZeroshiftMethods = 'rfa'",
      "ZeroshiftRanks = '4'",
      "ZeroshiftConfig = '0a1b2c3d'",
      "ZeroshiftSweep = 's'",
    ].join(' AND '),
    byAttribute: true,
    none: 'no such runs',
  })
})

test('a filter by state alone needs no search attributes', () => {
  expect(queryOf({ status: 'running' })).toMatchObject({ byAttribute: false, none: 'no such runs' })
})

test('a start is a date or a time before now', () => {
  expect(queryOf({ since: '2026-11-30' }).text).toContain("StartTime >= '2026-11-30T00:00:00.000Z'")
  const [, start = ''] = /StartTime >= '([^']+)'/.exec(queryOf({ since: '2d' }).text) ?? []
  expect(Math.abs(Date.now() - 2 * 86_400_000 - Date.parse(start))).toBeLessThan(60_000)
})

test.each([
  [{ sort: 'size' }, "--sort: expected one of started, took, run, data, state; found 'size'"],
  [{ sort: 'toString' }, "--sort: expected one of started, took, run, data, state; found 'toString'"],
  [{ columns: 'run,methds' }, '--columns: there is no column \'methds\'; did you mean "methods"?'],
])('%o is refused before a server is asked', async (options, message) => {
  await expect(runs(options)).rejects.toThrow(new UserError(message))
})

test('a quotation mark in a filter ends nothing', () => {
  expect(queryOf({ data: "x' OR '1' = '1" }).text).toContain("ZeroshiftDataset = 'x'' OR ''1'' = ''1'")
})

test.each([
  [{ status: 'done' }, "--status: expected one of running, completed, failed, cancelled; found 'done'"],
  [
    { status: 'toString' },
    "--status: expected one of running, completed, failed, cancelled; found 'toString'",
  ],
  [{ rank: '0' }, "--rank: expected a whole number from 1 on, found '0'"],
  [
    { since: 'yesterday' },
    "--since: expected a date such as 2026-11-30, or a time such as 12h or 7d, found 'yesterday'",
  ],
  [{ rank: 'low' }, "--rank: expected a whole number from 1 on, found 'low'"],
])('%o is refused', (options, message) => {
  expect(() => queryOf(options)).toThrow(new UserError(message))
})
