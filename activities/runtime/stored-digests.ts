import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { mapConcurrently } from '../../common/concurrency.ts'
import type { CodeName } from '../../experiment/stages/code.ts'
import { readRecord, writeRecord } from '../../sources/host-cache.ts'

/**
 * The digests of code that were computed last, in the checkout's file `built/code-digests.json`. To
 * compute them takes several times as long as to read the files that they depend on.
 */

export interface CodeDigest {
  readonly digest: string
  /** The files that were read for it, as absolute paths. */
  readonly files: readonly string[]
}

/** Paths are relative to the checkout. */
const schema = z.strictObject({
  digests: z.record(z.string(), z.strictObject({ digest: z.string(), files: z.array(z.string()) })),
  /** The SHA-256 of each file. */
  contents: z.record(z.string(), z.string()),
})

const pathIn = (root: string) => join(root, 'built', 'code-digests.json')

/**
 * Returns the stored digests of bodies. Returns undefined if one of them is not stored, or if a
 * file has changed since then.
 */
export async function storedDigests(
  names: readonly CodeName[],
  root: string,
): Promise<ReadonlyMap<CodeName, CodeDigest> | undefined> {
  const { data } = schema.safeParse(await readRecord(pathIn(root)))
  if (!data) return undefined
  const { digests, contents } = data
  const found = new Map<CodeName, CodeDigest>()
  for (const name of names) {
    const stored = digests[name]
    if (!stored) return undefined
    found.set(name, { digest: stored.digest, files: stored.files.map((file) => join(root, file)) })
  }
  const present = await mapConcurrently(Object.entries(contents), async ([file, expected]) => {
    const content = await readFile(join(root, file)).catch(() => '')
    return createHash('sha256').update(content).digest('hex') === expected
  })
  return present.every(Boolean) ? found : undefined
}

/**
 * Stores digests. `contents` has the SHA-256 of all files that they depend on, as these were when
 * they were read.
 */
export async function storeDigests(
  digests: ReadonlyMap<CodeName, CodeDigest>,
  contents: ReadonlyMap<string, string>,
  root: string,
): Promise<void> {
  const relatively = (path: string) => relative(root, path)
  const stored: z.infer<typeof schema> = {
    digests: Object.fromEntries(
      [...digests].map(([name, { digest, files }]) => [name, { digest, files: files.map(relatively) }]),
    ),
    contents: Object.fromEntries([...contents].map(([path, sha256]) => [relatively(path), sha256])),
  }
  // In a checkout that is read-only they are computed each time.
  await writeRecord(pathIn(root), stored).catch(() => undefined)
}
