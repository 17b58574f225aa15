import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FoundRun } from '../../activities/comparison.ts'
import { sha256 } from '../../common/canonical.ts'
import { parseJson } from '../../common/json.ts'

/** Fewer results than these are read again faster than they are worth a file. */
const FEWEST = 200
/** The share of results that have to be new before a file is written again. */
const NEW_SHARE = 0.1

export interface KeptResultsOptions {
  /** The folder of the files. */
  readonly folder: string
  /** The store as a URL, and the version of Zeroshift: results of others do not count. */
  readonly store: string
  readonly version: string
}

/**
 * The results of the runs of large sweeps in files of this machine's cache, so that a server that
 * is started again need not read thousands of reports. A file that is damaged or cannot be written
 * only costs time.
 */
export class KeptResults {
  private readonly options: KeptResultsOptions
  /** By sweep: the number of results in its file. */
  private readonly kept = new Map<string, number>()

  constructor(options: KeptResultsOptions) {
    this.options = options
  }

  /** The results that were kept of a sweep, by their keys. Empty from the second call on. */
  async load(sweep: string): Promise<ReadonlyMap<string, FoundRun>> {
    if (this.kept.has(sweep)) return new Map()
    this.kept.set(sweep, 0)
    const bytes = await readFile(this.fileOf(sweep)).catch(() => undefined)
    const value = bytes && parseJson(bytes)
    if (!isFile(value) || value.source !== this.sourceOf(sweep)) return new Map()
    this.kept.set(sweep, Object.keys(value.results).length)
    return new Map(Object.entries(value.results))
  }

  /** Keeps the results of a sweep if there are many, and enough of them are new. */
  async save(sweep: string, results: ReadonlyMap<string, FoundRun>): Promise<void> {
    const fresh = results.size - (this.kept.get(sweep) ?? 0)
    if (results.size < FEWEST || fresh < NEW_SHARE * results.size) return
    this.kept.set(sweep, results.size)
    const file = this.fileOf(sweep)
    const draft = `${file}.${process.pid}`
    try {
      await mkdir(this.options.folder, { recursive: true, mode: 0o700 })
      const content = { source: this.sourceOf(sweep), results: Object.fromEntries(results) }
      await writeFile(draft, JSON.stringify(content), { mode: 0o600 })
      await rename(draft, file)
    } catch {
      await rm(draft, { force: true }).catch(() => undefined)
    }
  }

  private fileOf(sweep: string): string {
    return join(this.options.folder, `${sha256(this.sourceOf(sweep))}.json`)
  }

  private sourceOf(sweep: string): string {
    const { store, version } = this.options
    return JSON.stringify([version, store, sweep])
  }
}

/** The files are written by this program alone. */
function isFile(
  value: unknown,
): value is { readonly source: string; readonly results: Readonly<Record<string, FoundRun>> } {
  if (typeof value !== 'object' || value === null) return false
  return (
    'source' in value && 'results' in value && typeof value.results === 'object' && value.results !== null
  )
}
