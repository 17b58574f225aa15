import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { checkpointError } from './json-file.ts'

/** The directory of a checkpoint's files. */
export async function findCheckpoint(source: string | undefined): Promise<string> {
  if (source === undefined)
    throw checkpointError(
      'model.from is missing; expected a directory, s3://bucket/prefix or hf://owner/name@revision',
    )
  const directory = resolve(source)
  const found = await stat(directory).catch(() => undefined)
  if (found?.isDirectory()) return directory
  throw checkpointError(
    `there is no directory ${directory}; expected the one that holds the checkpoint's files`,
  )
}
