import { Halving, type Item, type Objective } from './halving.ts'
import type { CellFailure, RunStatus, SweepCells, SweepProgress, SweepState } from './sweep.ts'

/** The run of a cell at a rung. */
export interface SweepRun extends Item {
  readonly run: string
}

/**
 * The state of every run of a sweep, and the order in which runs start. It does not start them
 * itself.
 */
export class SweepSchedule {
  private cells: SweepCells['cells']
  private readonly rungs: number
  private readonly queue: Halving
  private readonly statuses: RunStatus[]
  private readonly objectives = new Map<number, number>()
  private readonly failures: CellFailure[]
  private runningRuns: number
  /** A run that was taken from the queue and not yet handed out. */
  private next: SweepRun | undefined

  /** `left`: failures of earlier executions that are not tried again. */
  constructor({ cells, rungs, factor }: SweepCells, state?: SweepState, left: readonly CellFailure[] = []) {
    this.cells = cells
    this.rungs = rungs
    this.queue = new Halving(cells.length, rungs, factor)
    this.statuses = Array.from({ length: cells.length * rungs }, (_, i) => statusAt(state?.runs, i))
    this.runningRuns = this.statuses.filter(isUnderWay).length
    this.failures = [...(state?.failures ?? [])]
    for (const [at, value] of state?.judged ?? []) this.objectives.set(at, value)
    this.statuses.forEach((status, at) => {
      if (isOver(status)) this.queue.record(this.itemAt(at), this.objectives.get(at) ?? 'none')
    })
    if (!state)
      for (const failure of left) {
        const rung = cells[failure.cell]?.indexOf(failure.run) ?? -1
        if (rung >= 0) this.failed({ cell: failure.cell, rung, run: failure.run }, failure.reason)
      }
  }

  /** Appends cells. */
  extend({ cells }: SweepCells): void {
    const more = cells.length - this.cells.length
    this.cells = cells
    this.queue.add(more)
    for (let i = 0; i < more * this.rungs; i++) this.statuses.push('.')
  }

  /** Whether a run can start now. */
  hasNext(): boolean {
    while (!this.next) {
      const item = this.queue.take()
      if (!item) return false
      if (this.statuses[this.at(item)] === '.') this.next = this.place(item)
    }
    return true
  }

  /**
   * Runs to start, `most` at most. A run that is taken and not started is handed out again after
   * the workflow continues as new.
   */
  take(most: number): readonly SweepRun[] {
    const taken: SweepRun[] = []
    while (taken.length < most && this.hasNext() && this.next) {
      taken.push(this.next)
      this.next = undefined
    }
    return taken
  }

  /** Records that a run started. `r`: the sweep started it. `j`: it was running already. */
  begun(item: Item, status: 'r' | 'j'): void {
    this.set(item, status)
  }

  ended(item: Item, status: 'd' | 'i' | 'c', objective: Objective): void {
    this.set(item, status)
    if (objective !== 'none') this.objectives.set(this.at(item), objective)
    this.queue.record(item, objective)
  }

  failed({ cell, rung, run }: SweepRun, reason: string): void {
    this.set({ cell, rung }, 'f')
    this.failures.push({ cell, run, reason: reason.slice(0, MAX_REASON) })
    this.queue.record({ cell, rung }, 'none')
  }

  /** The number of runs that are running. */
  get running(): number {
    return this.runningRuns
  }

  /** The running runs with one of the two statuses. */
  underWay(status: 'r' | 'j'): readonly SweepRun[] {
    return this.statuses.flatMap((one, at) => (one === status ? [this.place(this.itemAt(at))] : []))
  }

  state(): Omit<SweepState, 'paused' | 'startedAt'> {
    return {
      runs: this.statuses.join(''),
      ...(this.objectives.size > 0 && this.rungs > 1 && { judged: [...this.objectives] }),
      failures: this.failures,
    }
  }

  progress(): Omit<SweepProgress, 'id' | 'paused' | 'maxParallel' | 'startedAt'> {
    const last = this.cells.map((_, cell) => this.statuses[this.at({ cell, rung: this.rungs - 1 })])
    const count = (...statuses: readonly RunStatus[]) =>
      last.filter((status) => status !== undefined && statuses.includes(status)).length
    return {
      rungs: this.rungs,
      cells: this.cells.length,
      done: count('d', 'i', 'c'),
      cached: count('c'),
      incomplete: count('i'),
      stopped: this.cells.filter((_, cell) => this.isStopped(cell)).length,
      running: [...this.underWay('r'), ...this.underWay('j')],
      failures: [...this.failures].sort((a, b) => a.cell - b.cell),
    }
  }

  /** Whether the cell was evaluated at a rung and does not enter the next one so far. */
  private isStopped(cell: number): boolean {
    for (let rung = this.rungs - 2; rung >= 0; rung--) {
      const status = this.statuses[this.at({ cell, rung })]
      if (status !== undefined && status !== '.')
        return isOver(status) && status !== 'f' && !this.queue.entered({ cell, rung: rung + 1 })
    }
    return false
  }

  private set(item: Item, status: RunStatus): void {
    const at = this.at(item)
    this.runningRuns += Number(isUnderWay(status)) - Number(isUnderWay(this.statuses[at] ?? '.'))
    this.statuses[at] = status
  }

  private at({ cell, rung }: Item): number {
    return cell * this.rungs + rung
  }

  private itemAt(at: number): Item {
    return { cell: Math.floor(at / this.rungs), rung: at % this.rungs }
  }

  private place({ cell, rung }: Item): SweepRun {
    return { cell, rung, run: this.cells[cell]?.[rung] ?? '' }
  }
}

/**
 * The most characters of a reason. The reasons of thousands of cells have to fit into one payload.
 */
const MAX_REASON = 300

function statusAt(statuses: string | undefined, i: number): RunStatus {
  return (statuses?.[i] ?? '.') as RunStatus
}

function isOver(status: RunStatus): boolean {
  return status === 'd' || status === 'i' || status === 'c' || status === 'f'
}

function isUnderWay(status: RunStatus): boolean {
  return status === 'r' || status === 'j'
}
