import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunInput, RunResult } from '../../../experiment/records/run.ts'
import type { SweepInput, SweepResult } from '../../../experiment/sweep/sweep.ts'
import { sweepType, workflowId, workflowType } from '../../../workflows/names.ts'
import { withTraceparent } from '../../../workflows/trace-header.ts'
import { traceIdOf } from '../../../workflows/traceparent.ts'
import { collector } from '../../support/collector.ts'
import { recording } from '../../support/recording.ts'
import { forFile } from '../../support/release.ts'
import { sampleRun } from '../../support/run.ts'
import { sweeping } from '../../support/sweeping.ts'
import { temporalServer, type TestTemporal, withWorker } from '../../support/temporal.ts'

let server: TestTemporal
let traces: Awaited<ReturnType<typeof collector>>
let connection: Connection
/** A client whose caller is traced. */
let client: Client
const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }

beforeAll(async () => {
  ;[server, traces] = await Promise.all([forFile(temporalServer()), forFile(collector())])
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = traces.url
  connection = await Connection.connect({ address: server.address })
  const traceparent = `00-${caller.traceId}-${caller.spanId}-01`
  client = new Client({
    connection,
    interceptors: {
      workflow: [
        {
          startWithDetails: (input, next) =>
            next({ ...input, headers: withTraceparent(input.headers, traceparent) }),
        },
      ],
    },
  })
})
afterAll(async () => {
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
  await connection.close()
})

test('the runs of a sweep are below it, whatever execution of it started them, and one that fails says so', async () => {
  const { activities, idOf } = sweeping({ name: 'seen', cells: 20, broken: [17] })
  await withWorker(server.address, activities, () =>
    client.workflow.execute<(input: SweepInput) => Promise<SweepResult>>(sweepType, {
      workflowId: workflowId('seen'),
      taskQueue: 'zeroshift',
      args: [{ id: 'seen', store: 'file:///nowhere', maxParallel: 3, historyEvents: 60 }],
    }),
  )
  const spans = traces.spans.filter(({ traceId }) => traceId === caller.traceId)
  const sweeps = spans.filter(({ name }) => name === 'sweep')
  expect(sweeps.length).toBeGreaterThan(1)
  for (const { parentSpanId } of sweeps) expect(parentSpanId).toBe(caller.spanId)
  const outcomes = sweeps.map(({ attributes }) => attributes['zeroshift.outcome'])
  expect(outcomes.filter((outcome) => outcome !== 'continued')).toEqual(['completed'])

  const above = new Set(sweeps.map(({ spanId }) => spanId))
  const runs = spans.filter(({ name }) => name === 'experiment')
  expect(runs).toHaveLength(20)
  for (const { parentSpanId } of runs) expect(above.has(parentSpanId ?? '')).toBe(true)
  const failed = runs.filter((run) => run.failed).map(({ attributes }) => attributes['zeroshift.run'])
  expect(failed).toEqual([idOf(17)])
})

test('a run whose caller is not traced has a trace of its own, with its own id', async () => {
  const before = traces.spans.length
  const { activities, calls } = recording()
  const input = sampleRun({ name: 'alone' })
  let runId = ''
  await withWorker(server.address, activities, async () => {
    const handle = await server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
      workflowId: workflowId(input.run.id),
      taskQueue: 'zeroshift',
      args: [input],
    })
    runId = handle.firstExecutionRunId
    await handle.result()
  })
  const spans = traces.spans.slice(before)
  expect(spans.filter(({ attributes }) => attributes['zeroshift.outcome'] === 'computed')).toHaveLength(
    calls.length,
  )
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf(runId)]))
})
