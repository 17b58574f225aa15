import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { readFormat } from '../../artifacts/format/store-format.ts'
import { UserError } from '../../common/errors.ts'
import { unreadable } from '../../common/regular-file.ts'
import { storeFor } from './workspace.ts'

/**
 * Returns the artifacts of a store that a command reads. A missing store counts as empty. Throws a
 * UserError if it is no store, or if a later version of Zeroshift wrote it.
 */
export async function artifactsIn(option: string | undefined): Promise<Artifacts> {
  const url = storeFor(option)
  await refuseNonDirectory(url, { mayBeMissing: true })
  const artifacts = openArtifacts(url)
  await readFormat(artifacts.store)
  return artifacts
}

/**
 * Refuses a store that is no directory: it would otherwise count as an empty store, since files
 * below a file are missing too. Throws a UserError.
 */
export async function refuseNonDirectory(
  url: string,
  { mayBeMissing }: { readonly mayBeMissing: boolean },
): Promise<void> {
  if (!url.startsWith('file://')) return
  const directory = fileURLToPath(url)
  const reason = await whyNoDirectory(directory)
  if (reason === undefined || (reason === 'is missing' && mayBeMissing)) return
  throw new UserError(
    reason === 'is missing'
      ? `the store ${directory} is not there; expected a directory with results: is it the right one (--store)?`
      : `the store ${directory} ${reason}; name another with --store`,
  )
}

async function whyNoDirectory(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) return undefined
    const kind = found.isFile() ? 'a file' : found.isFIFO() ? 'a FIFO' : 'a device or a socket'
    return `is ${kind}, expected a directory`
  } catch (error) {
    const reason = unreadable(error)
    if (reason === undefined) throw error
    return reason
  }
}
