/**
 * Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter
 * Tuning", algorithm 2) with decisions that do not depend on the order in which runs finish. At
 * each rung, cells are evaluated in the order in which they entered it. A cell is promoted as soon
 * as it is among the best 1/`factor` of the cells evaluated so far; no cell waits for a whole rung.
 * When all cells of a rung are evaluated, at least the best one is promoted.
 */

/** The run of a sweep at a cell and a rung, both counted from 0. */
export interface Item {
  readonly cell: number
  readonly rung: number
}

/**
 * The objective of a run. Lower is better. `none`: the run failed or has no figure.
 */
export type Objective = number | 'none'

export class Halving {
  private readonly rungs: readonly Rung[]
  private readonly factor: number

  /** With one rung nothing is decided: all cells enter it. */
  constructor(cells: number, rungs: number, factor: number) {
    this.factor = factor
    this.rungs = Array.from({ length: rungs }, () => new Rung())
    this.add(cells)
  }

  /** Appends cells. */
  add(cells: number): void {
    const [first] = this.rungs
    const known = first?.entries.length ?? 0
    for (let cell = known; cell < known + cells; cell++) first?.enter(cell)
  }

  /** The next run: from the highest rung that has one, in the order of entry. */
  take(): Item | undefined {
    for (let rung = this.rungs.length - 1; rung >= 0; rung--) {
      const cell = this.rungs[rung]?.take()
      if (cell !== undefined) return { cell, rung }
    }
    return undefined
  }

  record({ cell, rung }: Item, objective: Objective): void {
    this.rungs[rung]?.objectives.set(cell, objective)
    this.settle()
  }

  /** Whether the cell entered the rung. */
  entered({ cell, rung }: Item): boolean {
    return this.rungs[rung]?.members.has(cell) ?? false
  }

  private settle(): void {
    let closed = true
    for (const [i, rung] of this.rungs.slice(0, -1).entries()) {
      const next = this.rungs[i + 1]
      for (const cell of rung.promote(this.factor, closed)) next?.enter(cell)
      closed &&= rung.isEvaluated()
    }
  }
}

class Rung {
  readonly entries: number[] = []
  readonly members = new Set<number>()
  readonly objectives = new Map<number, Objective>()
  private taken = 0
  /** The number of first entries that were evaluated. */
  private evaluated = 0
  /** The evaluated cells that have an objective, best first. */
  private readonly ranking: { readonly cell: number; readonly value: number; readonly entry: number }[] = []
  private readonly promoted = new Set<number>()

  enter(cell: number): void {
    this.entries.push(cell)
    this.members.add(cell)
  }

  take(): number | undefined {
    const cell = this.entries[this.taken]
    if (cell !== undefined) this.taken++
    return cell
  }

  isEvaluated(): boolean {
    return this.evaluated === this.entries.length
  }

  /** Cells that are newly promoted. `closed`: no more cells will enter the rung. */
  promote(factor: number, closed: boolean): readonly number[] {
    const going: number[] = []
    for (;;) {
      const cell = this.entries[this.evaluated]
      const objective = cell === undefined ? undefined : this.objectives.get(cell)
      if (cell === undefined || objective === undefined) break
      if (objective !== 'none') this.rank({ cell, value: objective, entry: this.evaluated })
      this.evaluated++
      going.push(...this.newlyAmong(Math.floor(this.ranking.length / factor)))
    }
    if (closed && this.isEvaluated() && this.promoted.size === 0) going.push(...this.newlyAmong(1))
    return going
  }

  private rank(one: (typeof this.ranking)[number]): void {
    const after = this.ranking.findIndex(
      ({ value, entry }) => value > one.value || (value === one.value && entry > one.entry),
    )
    this.ranking.splice(after < 0 ? this.ranking.length : after, 0, one)
  }

  private newlyAmong(best: number): readonly number[] {
    const cells = this.ranking.slice(0, best).flatMap(({ cell }) => (this.promoted.has(cell) ? [] : [cell]))
    for (const cell of cells) this.promoted.add(cell)
    return cells
  }
}
