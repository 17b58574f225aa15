import { CHECKPOINT_PATH, checkpointError } from '../../pretrained/json-file.ts'
import { isCheckpointFile } from '../../pretrained/files.ts'
import { UserError } from '../../common/errors.ts'
import { localDirectory } from '../../sources/local-directory.ts'
import type { Located } from '../../sources/wanted.ts'

/**
 * Returns the directory with the files of a pretrained model on this machine, after a download if
 * they are elsewhere.
 */
export async function findCheckpoint(
  source: string | undefined,
  notify: (line: string) => void = () => undefined,
): Promise<Located> {
  if (source === undefined)
    throw checkpointError(
      'model.from is missing; expected a directory, s3://bucket/prefix or hf://owner/name@revision',
    )
  try {
    return await localDirectory(source, { files: isCheckpointFile }, { notify })
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError([
      { message: `${error.message}; expected the place of a checkpoint's files`, path: CHECKPOINT_PATH },
    ])
  }
}
