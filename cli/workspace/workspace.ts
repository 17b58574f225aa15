import { rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import {
  recordFolder,
  isRunning,
  loopbackAddress,
  loopbackUrl,
  processSchema,
  readProcessRecord,
  thisProcess,
  writeProcessRecord,
} from '../../artifacts/store/process-record.ts'
import { storeUrl } from '../../artifacts/store/store-url.ts'
import { UserError } from '../../common/errors.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import type { Settings } from '../../experiment/spec/settings.ts'
import { isElsewhere } from '../../experiment/spec/places.ts'
import { closestId } from './named-run.ts'

/**
 * The folder of Zeroshift's files in the working directory: the default store, the embedded
 * server's database, and logs.
 */
export const home = '.zeroshift'

/**
 * Returns the store's URL from the option, the config, ZEROSHIFT_STORE or the working directory's
 * default, in this order.
 */
export function storeFor(option?: string, configured?: string): string {
  return storeUrl(option ?? configured ?? process.env.ZEROSHIFT_STORE ?? join(home, 'store'))
}

/**
 * Makes a path of a config absolute. It is relative to the config's folder. A URL stays as it is.
 */
export function absoluteFromConfig(config: string, path: string): string {
  return isElsewhere(path) ? path : resolve(dirname(config), path)
}

export function absolutePath(path: string): string {
  return isElsewhere(path) ? path : resolve(path)
}

/**
 * The contents of `stack.json`, by which other commands find a stack that runs in this directory.
 */
const stackSchema = z.strictObject({
  ...processSchema,
  folder: z.string(),
  address: loopbackAddress,
  /** Whether `up` started the stack, so that other commands may use it. */
  shared: z.boolean(),
  /** The URL of its MLflow server. */
  mlflow: loopbackUrl.optional(),
})
type RunningStack = z.infer<typeof stackSchema>

export const stackNote = join(home, 'stack.json')

/**
 * Returns the stack that runs in this directory. Returns undefined also if its note cannot be
 * trusted, so that its address is never contacted.
 */
export function runningStack(): RunningStack | undefined {
  const stack = readProcessRecord(stackNote, stackSchema)
  return stack && isRunning(stack) ? stack : undefined
}

/** Writes the note of a stack. Returns a function that removes it. */
export function noteStack(stack: Pick<RunningStack, 'address' | 'shared' | 'mlflow'>): () => void {
  if (runningStack()) return () => undefined
  const note: RunningStack = { ...stack, ...thisProcess(), folder: recordFolder(stackNote) }
  writeProcessRecord(stackNote, note)
  return () => {
    rmSync(stackNote, { force: true })
  }
}

/**
 * Returns the tracking server of the stack that `up` runs here, for runs whose config names none.
 */
export function trackingHere(): Settings['tracking'] {
  const { shared = false, mlflow } = runningStack() ?? {}
  return shared && mlflow !== undefined ? { uri: mlflow } : undefined
}

/** Returns the record of a run. Throws a UserError if the store has none. */
export async function runRecordIn(artifacts: Artifacts, id: string): Promise<RunRecord> {
  const record = await artifacts.run(id)
  if (record) return record
  const known = [...(await artifacts.sweeps()), ...(await artifacts.runs())]
  throw new UserError(
    `the store ${artifacts.store.url} has no run '${id}'; ` +
      (known.length > 0 ? closestId(id, known) : 'it has none: is it the right one (--store)?'),
  )
}
