import { UserError } from '../../common/errors.ts'
import type { StatusOptions } from '../output/show-status.ts'
import { printNoRuns, withServerToLookAt } from '../server/run-list.ts'

/** `zeroshift status [ID]`: asks the server that runs here, or the one that ran here last. */
export async function status(id: string | undefined, options: StatusOptions): Promise<number> {
  const code = await withServerToLookAt(options.temporal, async (client, server) => {
    const { printList, printOne } = await import('../output/show-status.ts')
    return id === undefined ? printList(client, server, options) : printOne(client, server, id, options)
  })
  if (code !== undefined) return code
  if (id === undefined) return printNoRuns(options)
  throw new UserError(`there is no run or sweep '${id}' here; \`./zeroshift status\` lists them`)
}
