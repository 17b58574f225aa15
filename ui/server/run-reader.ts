import type { Artifacts } from '../../artifacts/artifacts.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { remainingWork } from '../../experiment/records/remaining-work.ts'
import type { RunProgress } from '../../experiment/records/run.ts'
import type { RunEntry } from '../contract.ts'
import type { LiveRun, LiveServer, LiveSweep, Operations } from './operations.ts'
import { RunBoard } from './run-board.ts'
import { runEntry, type RunSources } from './run-entry.ts'
import { StoreIndex } from './store-index.ts'

/** The runs and sweeps whose progress somebody looks at. */
export interface Wanted {
  readonly runs: ReadonlySet<string>
  readonly sweeps: ReadonlySet<string>
}

/** What the store and the Temporal server say at one moment. */
export interface Snapshot {
  /** The address of the Temporal server that answered. */
  readonly temporal: string | undefined
  /** All runs. The object is the same in all snapshots and has the newest state. */
  readonly board: RunBoard
  readonly index: StoreIndex
  /** The runs and sweeps that the Temporal server knows, by id. */
  readonly live: ReadonlyMap<string, LiveRun>
  /** The progress of running runs, as far as they were asked and have answered. */
  readonly progress: ReadonlyMap<string, RunProgress>
  readonly sweeps: ReadonlyMap<string, LiveSweep>
}

/** The largest numbers of running runs and sweeps that are asked for their progress at once. */
const MOST_RUNS = 48
const MOST_SWEEPS = 16
/** The largest number of failed runs that are asked for the reason at once. */
const MOST_REASONS = 16
/** Runs that ended this long before the last look are listed again, as servers list them late. */
const OVERLAP_MS = 10_000
/** The store is listed at most so often, and for at most this share of the time. */
const STORE_MS = 3_000
const STORE_SHARE = 1 / 20

/** Reads the store and the Temporal server. What it holds grows with the runs alone. */
export class RunReader {
  readonly board = new RunBoard()
  readonly index: StoreIndex
  private readonly artifacts: Artifacts
  private readonly operations: Operations
  private address: string | undefined
  private live = new Map<string, LiveRun>()
  /** When the runs were last listed. Undefined if all of them have to be listed. */
  private listedAt: number | undefined
  private storeDueAt = -Infinity
  private progress = new Map<string, RunProgress>()
  private turn = 0
  private estimates = new Map<string, ReadonlyMap<string, number>>()
  private estimating: Promise<void> | undefined
  private reasons = new Map<string, string | undefined>()
  private made = new Map<string, { readonly sources: RunSources; readonly entry: RunEntry }>()

  constructor(artifacts: Artifacts, operations: Operations) {
    this.artifacts = artifacts
    this.operations = operations
    this.index = new StoreIndex(artifacts)
  }

  /** Makes the next `read` list the store and all runs of the server anew. */
  expire(): void {
    this.storeDueAt = -Infinity
    this.listedAt = undefined
  }

  async read(wanted: Wanted): Promise<Snapshot> {
    const [sweeps] = await Promise.all([this.readLive(wanted), this.readStore()])
    this.board.update(this.entries())
    const { board, index, live, progress } = this
    return { temporal: this.address, board, index, live, progress, sweeps }
  }

  private async readStore(): Promise<void> {
    const began = performance.now()
    if (began < this.storeDueAt) return
    await this.index.refresh()
    const ended = performance.now()
    this.storeDueAt = ended + Math.max(STORE_MS, (ended - began) / STORE_SHARE)
  }

  private async readLive(wanted: Wanted): Promise<ReadonlyMap<string, LiveSweep>> {
    const server = await this.operations.live()
    if (server?.address !== this.address) this.forgetLive()
    this.address = server?.address
    if (!server) return new Map()
    try {
      await this.list(server)
      const running = [...this.live.values()].filter(({ state }) => state === 'running')
      const [sweeps] = await Promise.all([
        this.sweepProgress(server, running, wanted),
        this.runProgress(server, running, wanted),
        this.failureReasons(server),
      ])
      this.estimate(running, wanted)
      return sweeps
    } catch {
      // The server has gone. The next call of `operations.live` says whether it is back.
      this.forgetLive()
      this.address = undefined
      return new Map()
    }
  }

  private forgetLive(): void {
    if (this.live.size > 0) this.storeDueAt = -Infinity
    this.live = new Map()
    this.progress = new Map()
    this.reasons = new Map()
    this.listedAt = undefined
  }

  private async list(server: LiveServer): Promise<void> {
    const began = Date.now()
    const since = this.listedAt === undefined ? undefined : this.listedAt - OVERLAP_MS
    const listed = await server.list(since)
    const live = since === undefined ? new Map<string, LiveRun>() : this.live
    const seen = new Set<string>()
    // The newest execution of a run comes first.
    for (const run of listed) {
      if (seen.has(run.id)) continue
      seen.add(run.id)
      const before = this.live.get(run.id)
      if (before?.state === 'running' && run.state !== 'running') this.storeDueAt = -Infinity
      if (before?.startedAt !== run.startedAt) this.reasons.delete(run.id)
      const isSame = before?.startedAt === run.startedAt && before.state === run.state
      live.set(run.id, isSame && run.state !== 'running' ? before : run)
    }
    this.live = live
    const isLost = [...live.values()].some(({ id, state }) => state === 'running' && !seen.has(id))
    this.listedAt = isLost ? undefined : began
  }

  private async runProgress(server: LiveServer, running: readonly LiveRun[], wanted: Wanted): Promise<void> {
    const ids = running.flatMap(({ id, kind }) => (kind === 'run' ? [id] : []))
    const first = ids.filter((id) => wanted.runs.has(id))
    const others = ids.filter((id) => !wanted.runs.has(id))
    const start = others.length > MOST_RUNS ? this.turn % others.length : 0
    this.turn = start + MOST_RUNS
    const next = [...others.slice(start), ...others.slice(0, start)].slice(0, MOST_RUNS)
    const isRunning = new Set(ids)
    for (const id of this.progress.keys()) if (!isRunning.has(id)) this.progress.delete(id)
    await mapConcurrently([...first, ...next], async (id) => {
      const progress = await server.run(id)
      if (progress) this.progress.set(id, progress)
    })
  }

  private async sweepProgress(
    server: LiveServer,
    running: readonly LiveRun[],
    wanted: Wanted,
  ): Promise<ReadonlyMap<string, LiveSweep>> {
    const ids = running.flatMap(({ id, kind }) => (kind === 'sweep' ? [id] : []))
    const asked = [...ids].sort((a, b) => Number(wanted.sweeps.has(b)) - Number(wanted.sweeps.has(a)))
    const found = await mapConcurrently(asked.slice(0, MOST_SWEEPS), async (id) => {
      const sweep = await server.sweep(id)
      return sweep ? [[id, sweep] as const] : []
    })
    return new Map(found.flat())
  }

  private async failureReasons(server: LiveServer): Promise<void> {
    const failed = [...this.live.values()].filter(
      ({ state, id }) => state === 'failed' && !this.reasons.has(id),
    )
    await mapConcurrently(failed.slice(0, MOST_REASONS), async ({ id }) => {
      this.reasons.set(id, await server.failure(id))
    })
  }

  /**
   * Estimates the time of running runs, one after the other in the background. A cell of a sweep is
   * estimated only if somebody looks at it.
   */
  private estimate(running: readonly LiveRun[], { runs }: Wanted): void {
    const due = running.filter(
      ({ id, kind, sweep }) =>
        kind === 'run' && (runs.has(id) || (sweep ?? this.index.sweepOf(id)) === undefined),
    )
    const ids = new Set(due.map(({ id }) => id))
    for (const id of this.estimates.keys()) if (!ids.has(id)) this.estimates.delete(id)
    const next = due.find(({ id }) => !this.estimates.has(id))
    if (!next || this.estimating) return
    this.estimates.set(next.id, new Map())
    this.estimating = this.estimateOf(next.id).then(() => {
      this.estimating = undefined
    })
  }

  private async estimateOf(id: string): Promise<void> {
    try {
      const record = await this.artifacts.run(id)
      if (record) this.estimates.set(id, await this.operations.estimate(record))
      else this.estimates.delete(id)
    } catch {
      // The run is shown without the time that is left.
    }
  }

  private entries(): readonly RunEntry[] {
    const now = Date.now()
    const stored = this.index.runs().flatMap((run) => {
      const { id } = run.entry
      return this.live.has(id) || isShown(run) ? [{ id, stored: run }] : []
    })
    const unstored = [...this.live.values()].flatMap(({ id, kind, state }) =>
      kind === 'run' && state === 'running' && !this.index.get(id) ? [{ id, stored: undefined }] : [],
    )
    const made = new Map<string, { readonly sources: RunSources; readonly entry: RunEntry }>()
    for (const { id, stored: run } of [...stored, ...unstored]) {
      const progress = this.progress.get(id)
      const estimate = this.estimates.get(id)
      const sources: RunSources = {
        ...{ stored: run, live: this.live.get(id), progress, failure: this.reasons.get(id) },
        secondsLeft: progress && estimate && remainingWork(progress, estimate, now)?.seconds,
      }
      const before = this.made.get(id)
      made.set(
        id,
        before && isEqual(before.sources, sources) ? before : { sources, entry: runEntry(id, sources) },
      )
    }
    this.made = made
    return [...made.values()].map(({ entry }) => entry)
  }
}

/** A cell of a sweep is shown once it was started. */
function isShown({ entry, isOwn }: { readonly entry: RunEntry; readonly isOwn: boolean }): boolean {
  return entry.sweep === undefined || isOwn || entry.hasReport || entry.failures.length > 0
}

function isEqual(a: RunSources, b: RunSources): boolean {
  return (
    a.stored === b.stored &&
    a.live === b.live &&
    a.progress === b.progress &&
    a.secondsLeft === b.secondsLeft &&
    a.failure === b.failure
  )
}
