import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { CheckedStore } from '../../artifacts/check/check-store.ts'
import { sha256 } from '../../common/canonical.ts'
import { readRegularFile } from '../../common/regular-file.ts'
import { parseJson } from '../../common/json.ts'
import { home } from './workspace.ts'

/**
 * The result of the last check of a store, for the page of `zeroshift ui`. It is in the working
 * directory and not in the store, since a check needs no right to write to the store.
 */
const schema = z.object({
  finishedAt: z.string(),
  faults: z.int(),
  stages: z.int(),
  blobs: z.int(),
})
export type LastCheck = z.output<typeof schema>

function fileOf(store: string): string {
  return join(home, 'checks', `${sha256(store).slice(0, 16)}.json`)
}

/** Notes the result of a check. Does nothing if the working directory cannot be written to. */
export async function noteCheck(
  store: string,
  { damage, stages, blobs }: Pick<CheckedStore, 'damage' | 'stages' | 'blobs'>,
): Promise<void> {
  const check: LastCheck = { finishedAt: new Date().toISOString(), faults: damage.length, stages, blobs }
  const file = fileOf(store)
  try {
    await mkdir(join(home, 'checks'), { recursive: true })
    await writeFile(`${file}.${process.pid}`, JSON.stringify(check))
    await rename(`${file}.${process.pid}`, file)
  } catch {
    // The page shows no check then.
  }
}

/** Returns the result of the last check of a store from this directory. */
export async function lastCheckOf(store: string): Promise<LastCheck | undefined> {
  try {
    return schema.safeParse(parseJson(await readRegularFile(fileOf(store)))).data
  } catch {
    return undefined
  }
}
