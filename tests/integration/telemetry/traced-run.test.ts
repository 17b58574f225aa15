import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from '@temporalio/worker'
import { beforeAll, expect, test } from 'vitest'
import { stageKinds } from '../../../experiment/stages/stage.ts'
import { workflowBundle } from '../../../worker/bundle.ts'
import { freePort } from '../../../host/free-port.ts'
import { traceSinks } from '../../../worker/telemetry/spans.ts'
import { installRuntime } from '../../../worker/worker.ts'
import { workflowId } from '../../../workflows/names.ts'
import { collector, type Collected } from '../../support/collector.ts'
import { answerOf, smallConfig, zeroshiftWith, type Answer, type Ended } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { forFile } from '../../support/release.ts'
import { temporalServer, type TestTemporal } from '../../support/temporal.ts'

/**
 * A run by the command on a separate worker. Both are traced; the worker has metrics and a log in
 * JSON.
 */
let directory: string
let server: TestTemporal
let traces: Awaited<ReturnType<typeof collector>>
let answer: Answer
/** The text of the worker's endpoint before and after the run. */
const said = { ready: 0, alive: 0, metrics: '', type: '' as string | null }
/** The most bytes on the device that it showed while the run went on. */
let mostOnDevice = 0
let worker: Ended

beforeAll(async () => {
  directory = fileDirectory()
  ;[server, traces] = await Promise.all([forFile(temporalServer()), forFile(collector())])
  writeFileSync(join(directory, 'small.yaml'), `${smallConfig}checkpointSeconds: 0.05\n`)
  const port = await freePort()
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: traces.url, ZEROSHIFT_LOG: 'info' }
  const shared = ['--temporal', server.address]
  const at = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  const working = zeroshiftWith(env, directory, 'worker', '--metrics-port', String(port), ...shared)
  try {
    await working.says('working for zeroshift')
    said.ready = (await at('/readyz')).status
    const run = zeroshiftWith(env, directory, 'run', 'small.yaml', '--json', '--store', 'store', ...shared)
    let isOver = false
    const ended = run.ended.finally(() => (isOver = true))
    while (!isOver) {
      const text = await (await at('/metrics')).text()
      mostOnDevice = Math.max(mostOnDevice, series('zeroshift_device_bytes', text))
      await sleep(200)
    }
    const { stdout, stderr, code } = await ended
    if (code !== 0) throw new Error(`${stdout}\n${stderr}`)
    answer = answerOf(stdout)
    said.alive = (await at('/healthz')).status
    const metrics = await at('/metrics')
    said.metrics = await metrics.text()
    said.type = metrics.headers.get('content-type')
  } finally {
    working.child.kill('SIGTERM')
    worker = await working.ended
  }
}, 400_000)

const named = (name: string) => traces.spans.filter((span) => span.name === name)
function only(spans: readonly Collected[]): Collected {
  const [span, ...others] = spans
  if (!span || others.length > 0) throw new Error(`expected one span, found ${spans.length}`)
  return span
}

test('a run is one trace: the command, below it the workflow, below that every stage that was computed', () => {
  const command = only(named('zeroshift run'))
  const workflow = only(named('experiment'))
  expect(command).toMatchObject({ service: 'zeroshift', failed: false })
  expect(command.parentSpanId).toBeFalsy()
  expect(workflow).toMatchObject({
    service: 'zeroshift-worker',
    parentSpanId: command.spanId,
    attributes: { 'zeroshift.run': answer.id, 'zeroshift.outcome': 'completed' },
  })
  expect(new Set(traces.spans.map(({ traceId }) => traceId))).toEqual(new Set([command.traceId]))
  const stages = traces.spans.filter(({ attributes }) => attributes['zeroshift.outcome'] === 'computed')
  expect(stages).toHaveLength(answer.stages.computed)
  for (const { parentSpanId, attributes, name } of stages) {
    expect(parentSpanId).toBe(workflow.spanId)
    expect(attributes).toMatchObject({ 'zeroshift.run': answer.id, 'zeroshift.stage': name })
    expect(attributes['zeroshift.key']).toMatch(/^[0-9a-f]{12}$/)
    expect(Number(attributes['zeroshift.attempt'])).toBe(1)
  }
})

test('the history of a traced run is replayed', async () => {
  installRuntime()
  const history = await server.client.workflow.getHandle(workflowId(answer.id)).fetchHistory()
  const headers = history.events?.flatMap((event) =>
    Object.keys(event.activityTaskScheduledEventAttributes?.header?.fields ?? {}),
  )
  expect(headers).toContain('_tracer-data')
  await Worker.runReplayHistory(
    { workflowBundle: await workflowBundle(), sinks: traceSinks(undefined) },
    history,
  )
})

/** The value of a series, such as `name{label="value"}`. */
function series(name: string, metrics = said.metrics): number {
  const line = metrics.split('\n').find((line) => line.startsWith(`${name} `))
  if (line === undefined) throw new Error(`${name} is not shown`)
  return Number(line.slice(name.length + 1))
}

test('the worker shows what it did in the format of Prometheus', () => {
  expect(said.type).toContain('text/plain')
  // One batch of retained and forgotten samples a step; the method has 20.
  expect(series('zeroshift_steps_total{stage="unlearn"}')).toBe(20)
  expect(series('zeroshift_steps_total{stage="train"}')).toBeGreaterThan(20)
  // The pixels of the data set alone are more.
  expect(mostOnDevice).toBeGreaterThan(100_000)
  expect(series('zeroshift_checkpoint_seconds_count{stage="train"}')).toBeGreaterThan(0)
  expect(series('zeroshift_store_bytes_total{direction="written"}')).toBeGreaterThan(10_000)
  expect(series('zeroshift_store_bytes_total{direction="read"}')).toBeGreaterThan(10_000)
  // The original, gold and the twin that learns nothing.
  expect(series('zeroshift_stages_total{stage="train",outcome="computed"}')).toBe(3)
  expect(series('zeroshift_stage_seconds_count{stage="train"}')).toBe(3)
  expect(series('zeroshift_stages_running{stage="train"}')).toBe(0)
  for (const kind of ['user', 'math', 'world', 'lost'])
    expect(series(`zeroshift_failures_total{kind="${kind}"}`)).toBe(0)
  expect(said.metrics).toMatch(/^temporal_/m)
})

test('no label has a value that grows with the runs', () => {
  const known = new Set<string>(stageKinds)
  const stages = [...said.metrics.matchAll(/zeroshift_[a-z_]+\{[^}]*stage="([^"]*)"/g)].map(
    ([, stage]) => stage,
  )
  expect(stages.length).toBeGreaterThan(0)
  expect(stages.filter((stage) => !known.has(stage ?? ''))).toEqual([])
  expect(said.metrics).not.toContain(answer.id)
})

test('every metric of the Grafana dashboard is one that a worker shows', () => {
  const dashboard = readFileSync(new URL('../../../infra/grafana/zeroshift.json', import.meta.url), 'utf8')
  const expressions = [...dashboard.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text ?? '')
  const asked = new Set(
    expressions.flatMap((text) => text.match(/\b(?:zeroshift|temporal|process|nodejs)_\w+/g) ?? []),
  )
  expect(asked.size).toBeGreaterThan(8)
  const shown = new Set(said.metrics.match(/^[a-z]\w+(?=[ {])/gm))
  expect([...asked].filter((name) => !shown.has(name))).toEqual([])
})

test('a worker that asks for work is alive and ready', () => {
  expect(said).toMatchObject({ ready: 200, alive: 200 })
})

test('every line that the worker logs is JSON, those of stages with run, stage and attempt', () => {
  const lines = worker.stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const stages = lines.filter(({ msg }) => msg === 'attempt computed')
  expect(stages).toHaveLength(answer.stages.computed)
  for (const line of stages) {
    expect(line).toMatchObject({ level: 'info', run: answer.id, attempt: 1 })
    expect(line.stage).toMatch(/^[a-z]+$/)
    expect(line.key).toMatch(/^[0-9a-f]{12}$/)
  }
})
