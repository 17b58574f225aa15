import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client'
import { UserError } from '../../common/errors.ts'
import { workflowId } from '../../workflows/names.ts'
import { runningStack } from '../workspace/workspace.ts'
import { connect, existingServer } from './temporal.ts'

/**
 * Connects to the server of a running workflow for commands that change it. Throws a UserError if
 * no such workflow is running.
 */
export async function withActiveWorkflow<T>(
  id: string,
  temporal: string | undefined,
  act: (handle: WorkflowHandle, client: Client) => Promise<T>,
): Promise<T> {
  const server = existingServer(temporal ?? runningStack()?.address)
  if (!server)
    throw new UserError(`nothing runs in this directory; name the Temporal server of '${id}' with --temporal`)
  const { client, close } = await connect(server)
  try {
    return await act(client.workflow.getHandle(workflowId(id)), client)
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? notActive(id) : error
  } finally {
    await close()
  }
}

export function notActive(id: string): UserError {
  return new UserError(
    `there is no run or sweep '${id}' that is going on here; \`./zeroshift status\` lists them`,
  )
}
