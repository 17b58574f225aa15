import { rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import {
  folderOf,
  isThere,
  loopbackAddress,
  loopbackUrl,
  processSchema,
  readNote,
  thisProcess,
  writeNote,
} from '../../artifacts/process-note.ts'
import { storeUrl } from '../../artifacts/store.ts'
import { UserError } from '../../common/errors.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { isElsewhere, type Settings } from '../../experiment/spec/spec.ts'

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

/** `stack.json`: a stack that runs in this directory, for the other commands to find. */
const stackSchema = z.strictObject({
  ...processSchema,
  folder: z.string(),
  address: loopbackAddress,
  /** Started by `up`: it is there to be used by others. */
  shared: z.boolean(),
  /** URL of its MLflow server. */
  mlflow: loopbackUrl.optional(),
})
type RunningStack = z.infer<typeof stackSchema>

export const stackNote = join(home, 'stack.json')

/** undefined also where the note of a stack is not to be trusted: its address is never asked then. */
export function runningStack(): RunningStack | undefined {
  const stack = readNote(stackNote, stackSchema)
  return stack && isThere(stack) ? stack : undefined
}

/** Returns what takes the note away again. */
export function noteStack(stack: Pick<RunningStack, 'address' | 'shared' | 'mlflow'>): () => void {
  if (runningStack()) return () => undefined
  const note: RunningStack = { ...stack, ...thisProcess(), folder: folderOf(stackNote) }
  writeNote(stackNote, note)
  return () => {
    rmSync(stackNote, { force: true })
  }
}

/** Where runs are tracked whose config says nothing of it: by the stack that `up` has running here. */
export function trackingHere(): Settings['tracking'] {
  const { shared = false, mlflow } = runningStack() ?? {}
  return shared && mlflow !== undefined ? { uri: mlflow } : undefined
}

/** The record of a run. Throws a UserError where the store has none. */
export async function runRecordIn(artifacts: Artifacts, id: string): Promise<RunRecord> {
  const record = await artifacts.run(id)
  if (record) return record
  const known = [...(await artifacts.sweeps()), ...(await artifacts.runs())]
  throw new UserError(
    `the store ${artifacts.store.url} has no run '${id}'; ` +
      (known.length > 0 ? `it has ${idList(known)}` : 'it has none: is it the right one (--store)?'),
  )
}

const MOST_NAMED = 20

function idList(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED
  return `${ids.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
