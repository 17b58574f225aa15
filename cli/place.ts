import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Artifacts } from '../artifacts/artifacts.ts'
import { storeUrl } from '../artifacts/store.ts'
import { UserError } from '../experiment/errors.ts'
import type { RunRecord } from '../experiment/run.ts'
import { isElsewhere, type Settings } from '../experiment/spec.ts'
import { isAlive } from '../infra/alive.mjs'

/** Where things of this working directory are: results unless told otherwise, the embedded server's runs, the logs. */
export const home = '.zeroshift'

/** The store as a URL: the option, then the config's, then ZEROSHIFT_STORE, then the working directory's own. */
export function storeFor(option?: string, configured?: string): string {
  return storeUrl(option ?? configured ?? process.env.ZEROSHIFT_STORE ?? join(home, 'store'))
}

/** A path in a config is relative to the config, one on the command line to the working directory; a URL is as it is. */
export function absoluteFrom(config: string, path: string): string {
  return isElsewhere(path) ? path : resolve(dirname(config), path)
}

export function absolute(path: string): string {
  return isElsewhere(path) ? path : resolve(path)
}

/** A stack that runs in this directory, for the other commands to find. */
export interface RunningStack {
  readonly address: string
  readonly pid: number
  /** Started by `up`: it is there to be used by others. */
  readonly shared: boolean
  /** URL of its MLflow server. */
  readonly mlflow?: string
}

const note = join(home, 'stack.json')

export function runningStack(): RunningStack | undefined {
  if (!existsSync(note)) return undefined
  try {
    const stack = JSON.parse(readFileSync(note, 'utf8')) as RunningStack
    return isAlive(stack.pid) ? stack : undefined
  } catch {
    return undefined
  }
}

/** Returns what takes the note away again. */
export function noteStack(stack: Omit<RunningStack, 'pid'>): () => void {
  if (runningStack()) return () => undefined
  mkdirSync(home, { recursive: true })
  writeFileSync(note, JSON.stringify({ ...stack, pid: process.pid } satisfies RunningStack))
  return () => {
    rmSync(note, { force: true })
  }
}

/** Where runs are tracked whose config says nothing of it: by the stack that `up` has running here. */
export function trackingHere(): Settings['tracking'] {
  const { shared = false, mlflow } = runningStack() ?? {}
  return shared && mlflow !== undefined ? { uri: mlflow } : undefined
}

/** The record of a run. Throws a UserError where the store has none. */
export async function recordIn(artifacts: Artifacts, id: string): Promise<RunRecord> {
  const record = await artifacts.run(id)
  if (record) return record
  const known = [...(await artifacts.sweeps()), ...(await artifacts.runs())]
  throw new UserError(
    `the store ${artifacts.store.url} has no run '${id}'; ` +
      (known.length > 0 ? `it has ${listed(known)}` : 'it has none: is it the right one (--store)?'),
  )
}

const MOST_NAMED = 20

function listed(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
