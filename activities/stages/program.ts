import { UserError } from '../../common/errors.ts'
import type { StageBody } from '../runtime/stage.ts'

/**
 * A worker does not have the files of a program. The command that starts a run stores them together
 * with the manifest of this stage, so that the stage is complete before the run begins.
 */
export const program: StageBody<'program'> = ({ stage }) => {
  const { files } = stage.params
  const names = files.map(({ path }) => path).join(', ')
  return Promise.reject(
    new UserError(
      `the store lacks the files of an external program (${names}); start the run again with \`./zeroshift run\` where its config and these files are`,
    ),
  )
}
