import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client'
import { UserError } from '../../common/errors.ts'
import { workflowId } from '../../workflows/names.ts'
import { runningStack } from '../workspace/workspace.ts'
import { idOnServer } from './run-list.ts'
import { connect, existingServer } from './temporal.ts'

/**
 * Connects to the server of a running workflow for commands that change it. `word` is the id, the
 * beginning of the id, or `last`. Throws a UserError if no such workflow is running.
 */
export async function withActiveWorkflow<T>(
  word: string,
  temporal: string | undefined,
  act: (handle: WorkflowHandle, client: Client, id: string) => Promise<T>,
): Promise<T> {
  const server = existingServer(temporal ?? runningStack()?.address)
  if (!server)
    throw new UserError(
      `nothing runs in this directory; name the Temporal server of '${word}' with --temporal`,
    )
  const { client, close } = await connect(server)
  try {
    const { id, near } = await idOnServer(client, server, word, { open: true })
    return await act(client.workflow.getHandle(workflowId(id)), client, id).catch((error: unknown) => {
      throw error instanceof WorkflowNotFoundError ? notActive(word, near) : error
    })
  } finally {
    await close()
  }
}

export function notActive(id: string, near?: string): UserError {
  const hint = near === undefined ? '`./zeroshift status` lists them' : `did you mean ${near}?`
  return new UserError(`there is no run or sweep '${id}' that is going on here; ${hint}`)
}
