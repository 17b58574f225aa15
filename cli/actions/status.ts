import { UserError } from '../../common/errors.ts'
import type { StatusOptions } from '../output/show-status.ts'
import { idOnServer, printNoRuns, withServerToLookAt } from '../server/run-list.ts'

/** `zeroshift status [ID]`: asks the server that runs here, or the one that ran here last. */
export async function status(id: string | undefined, options: StatusOptions): Promise<number> {
  let similar: string | undefined
  const code = await withServerToLookAt(options.temporal, async (client, server) => {
    const { printList, printOne } = await import('../output/show-status.ts')
    if (id === undefined) return printList(client, server, options)
    const { id: found, near } = await idOnServer(client, server, id, { open: false })
    similar = near
    return printOne(client, server, found, options)
  })
  if (code !== undefined) return code
  if (id === undefined) return printNoRuns(options)
  const hint = similar === undefined ? '`./zeroshift status` lists them' : `did you mean ${similar}?`
  throw new UserError(`there is no run or sweep '${id}' here; ${hint}`)
}
