import type { RunEntry, RunList } from '../contract.ts'

interface Known {
  readonly entry: RunEntry
  readonly text: string
  /** The version of the list in which the entry was last changed. */
  readonly changed: number
}

/**
 * The list of runs with a version that grows when a run changes, so that a client who knows an
 * earlier version gets the changed runs alone. It holds one entry for each run, however often runs
 * change.
 */
export class RunBoard {
  private known: ReadonlyMap<string, Known> = new Map()
  private current = 0
  /** The version in which a run was last taken from the list. */
  private removed = 0
  private sorted: { readonly version: number; readonly list: RunList; readonly text: string } | undefined

  /** The number of the present state, from 0. */
  get version(): number {
    return this.current
  }

  update(entries: readonly RunEntry[]): void {
    const next = this.current + 1
    let isChanged = false
    const known = new Map<string, Known>()
    for (const entry of entries) {
      const before = this.known.get(entry.id)
      if (before?.entry === entry) known.set(entry.id, before)
      else {
        const text = JSON.stringify(entry)
        const isSame = before?.text === text
        isChanged ||= !isSame
        known.set(entry.id, { entry, text, changed: isSame ? before.changed : next })
      }
    }
    const isShorter = [...this.known.keys()].some((id) => !known.has(id))
    if (isChanged || isShorter) this.current = next
    if (isShorter) this.removed = next
    this.known = known
  }

  get(id: string): RunEntry | undefined {
    return this.known.get(id)?.entry
  }

  /** All runs, newest first. */
  list(): RunList {
    return this.inOrder().list
  }

  /** The list as JSON. */
  text(): string {
    return this.inOrder().text
  }

  /**
   * What a client has to learn who knows a version: the changed runs, or all of them if a run was
   * removed since or if the client knows no version. Undefined if nothing has changed.
   */
  since(version: number | undefined): RunList | undefined {
    if (version === this.current) return undefined
    if (version === undefined || version < this.removed) return this.list()
    const changed = [...this.known.values()].filter((one) => one.changed > version)
    return { runs: newestFirst(changed).map(({ entry }) => entry), partial: true }
  }

  private inOrder(): NonNullable<RunBoard['sorted']> {
    const { current } = this
    if (this.sorted?.version === current) return this.sorted
    const known = newestFirst([...this.known.values()])
    const list = { runs: known.map(({ entry }) => entry) }
    this.sorted = { version: current, list, text: `{"runs":[${known.map(({ text }) => text).join(',')}]}` }
    return this.sorted
  }
}

const dateOf = ({ entry: { startedAt, changedAt = '' } }: Known) => startedAt ?? changedAt

function newestFirst(runs: readonly Known[]): readonly Known[] {
  const byDate = (a: Known, b: Known) => compare(dateOf(b), dateOf(a)) || compare(a.entry.id, b.entry.id)
  return [...runs].sort(byDate)
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
