import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, type Connection, type WorkflowHandle } from '@temporalio/client'
import { findDataDirectory } from '../../activities/inputs/data-directory.ts'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { plan } from '../../experiment/plan/plan.ts'
import { runId, type RunInput, type RunResult } from '../../experiment/records/run.ts'
import { specSchema } from '../../experiment/spec/spec.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { ensureTemporal } from '../../infra/temporal.mjs'
import { inspectDataset } from '../../datasets/index.ts'
import { freePort } from '../../host/free-port.ts'
import { startServer, type ServerProcess } from '../../stack/server.ts'
import { workflowId, workflowType } from '../../workflows/names.ts'
import { connected } from './temporal.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The setting of fault tests: a Temporal server with a database, workers in separate processes, and
 * a small real run.
 */

export type Experiment = (input: RunInput) => Promise<RunResult>
export type Handle = WorkflowHandle<Experiment>

export const checkpointSeconds = 0.4
export const heartbeatSeconds = 2

/** An experiment on digits whose stages take seconds, so that there is something to interrupt. */
export async function longRun({
  name = 'long',
  store,
  seed = 1,
  epochs = 30,
  learningRate,
  settings = {},
}: {
  readonly name?: string
  readonly store: string
  readonly seed?: number
  readonly epochs?: number
  /** The learning rate of fine-tuning. */
  readonly learningRate?: number
  readonly settings?: Partial<RunInput['settings']>
}): Promise<RunInput> {
  const spec = specSchema.parse({
    name,
    seed: { training: seed },
    data: { name: 'digits' },
    split: { kind: 'class', classes: [0] },
    model: { name: 'cnn', channels: [8, 16], hidden: 32 },
    training: { epochs, optimizer: { name: 'adam', learningRate: 1e-3 } },
    gold: { models: 1 },
    methods: [
      { method: 'retrain' },
      {
        method: 'finetune',
        epochs: Math.ceil(epochs / 2),
        ...(learningRate !== undefined && { optimizer: { name: 'sgd', learningRate } }),
      },
      { method: 'rfa', steps: 10 * epochs },
    ],
  })
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  const planned = plan(spec, facts)
  const command = { config: 'long.yaml', overrides: [] }
  return {
    run: { id: runId(name, planned), spec, facts, plan: planned, command },
    settings: { store, checkpointSeconds, heartbeatSeconds, ...settings },
  }
}

export class Site {
  readonly directory = mkdtempSync(join(tmpdir(), 'zeroshift-faults-'))
  readonly log = join(this.directory, 'log')
  private server: ServerProcess | undefined
  private connection: Connection | undefined
  private readonly workers = new Set<ChildProcess>()
  private port = 0

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get client(): Client {
    if (!this.connection) throw new Error('the site is not open')
    return new Client({ connection: this.connection })
  }

  async open(): Promise<this> {
    this.port ||= await freePort()
    await this.startTemporal()
    this.connection = await connected(this.address)
    return this
  }

  async startTemporal(): Promise<void> {
    this.server = startServer({
      temporal: await ensureTemporal(),
      port: this.port,
      database: join(this.directory, 'temporal.db'),
      log: this.log,
    })
  }

  /** SIGKILL, as `stop` of the guarded server is. */
  async killTemporal(): Promise<void> {
    await this.server?.stop()
  }

  /** A worker that asks for work. */
  async worker({
    address = this.address,
    env = {},
    exec = [],
  }: {
    address?: string
    env?: NodeJS.ProcessEnv
    /** The program that runs the worker, such as `ip netns exec NAME`. */
    exec?: readonly string[]
  } = {}): Promise<ChildProcess> {
    const output = openSync(this.log, 'a')
    const [execPath, ...execArgv] = [...exec, process.execPath]
    const child = fork(fileURLToPath(new URL('../../infra/launch-worker.mjs', import.meta.url)), [address], {
      ...(execPath !== undefined && { execPath }),
      execArgv,
      cwd: root,
      stdio: ['ignore', output, output, 'ipc'],
      env: { ...process.env, ...env },
    })
    this.workers.add(child)
    child.once('exit', () => this.workers.delete(child))
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() =>
        Promise.reject(new Error(`a worker ended at its start; see ${this.log}`)),
      ),
    ])
    return child
  }

  start(input: RunInput): Promise<Handle> {
    return this.client.workflow.start<Experiment>(workflowType, {
      workflowId: workflowId(input.run.id),
      taskQueue: 'zeroshift',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [input],
    })
  }

  async close(): Promise<void> {
    for (const child of this.workers) child.kill('SIGKILL')
    await this.connection?.close()
    await this.server?.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Every blob's digest by stage and name: what must be the same whatever happened. */
export async function blobsOf(artifacts: Artifacts, { run }: RunInput): Promise<Record<string, string>> {
  const named = await Promise.all(
    stagesOf(run.plan).map(async (stage) => {
      const manifest = await artifacts.complete(stage)
      if (!manifest) throw new Error(`'${stage.title}' is not in the store`)
      for (const blob of Object.values(manifest.outputs)) await artifacts.getBlob(blob)
      return Object.entries(manifest.outputs).map(
        ([name, { sha256 }]) => [`${stage.title}/${name}`, sha256] as const,
      )
    }),
  )
  return Object.fromEntries(named.flat())
}

/** Objects that finished stages should not leave. */
export async function leftovers(artifacts: Artifacts): Promise<readonly string[]> {
  const objects = await artifacts.store.list('stages/')
  return objects.map(({ path }) => path).filter((path) => !path.endsWith('/manifest.json'))
}

/** Computes the run on a site without faults. Returns its blobs and the digest of the report. */
export async function undisturbed(
  options: Omit<Parameters<typeof longRun>[0], 'store'> = {},
): Promise<{ readonly blobs: Record<string, string>; readonly digest: string }> {
  const site = await new Site().open()
  try {
    const input = await longRun({ ...options, store: join(site.directory, 'store') })
    await site.worker()
    const { digest } = await (await site.start(input)).result()
    return { blobs: await blobsOf(openArtifacts(input.settings.store), input), digest }
  } finally {
    await site.close()
  }
}

export interface Attempt {
  readonly key: string
  readonly attempt: number
  readonly step?: number
  readonly resumedAt?: number
  /** Its identity: `pid@host`. */
  readonly worker: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** PENDING_ACTIVITY_STATE_STARTED of Temporal's API. */
const STARTED = 2

/** The stages that workers have now, by Temporal's account. */
export async function running(handle: Handle): Promise<readonly Attempt[]> {
  const { raw } = await handle.describe()
  return (raw.pendingActivities ?? [])
    .filter(({ state }) => Number(state) === STARTED)
    .map(({ activityId, attempt, heartbeatDetails, lastStartedTime, lastWorkerIdentity }) => {
      const data = heartbeatDetails?.payloads?.[0]?.data
      const progress = data ? (JSON.parse(Buffer.from(data).toString()) as Partial<Attempt>) : {}
      // Until the first heartbeat of an attempt, the server has those of the one before.
      const own = progress.attempt === attempt ? progress : {}
      return {
        ...own,
        key: activityId ?? '',
        attempt: attempt ?? 1,
        worker: lastWorkerIdentity ?? '',
        startedAt: 1000 * Number(lastStartedTime?.seconds) + Number(lastStartedTime?.nanos) / 1e6,
      }
    })
}

/**
 * The number of the last attempt at each stage that has ended, in order. With a key, those at that
 * stage alone.
 */
export async function attempts(handle: Handle, key?: string): Promise<readonly number[]> {
  const { events } = await handle.fetchHistory()
  const ids = new Map<string, string>()
  return (events ?? []).flatMap((event) => {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started } =
      event
    if (scheduled) ids.set(String(event.eventId), scheduled.activityId ?? '')
    const isWanted = key === undefined || ids.get(String(started?.scheduledEventId)) === key
    return started?.attempt && isWanted ? [started.attempt] : []
  })
}

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  seconds = 180,
): Promise<T> {
  const deadline = performance.now() + 1000 * seconds
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`)
    await sleep(25)
  }
}
