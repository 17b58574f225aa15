import { UserError } from '../../common/errors.ts'
import { searchAttributes } from '../../experiment/records/search-attributes.ts'
import { ensureSearchAttributes, registration } from '../server/search-attributes.ts'
import { connect, existingServer } from '../server/temporal.ts'
import { print } from '../output/print.ts'

/** A server of several services that has just been started takes long to inform all of them. */
const WITHIN_MS = 60_000

/**
 * `zeroshift setup search-attributes`: registers Zeroshift's search attributes if the server does
 * not know them.
 */
export async function setupSearchAttributes({ temporal }: { readonly temporal?: string }): Promise<number> {
  const server = existingServer(temporal)
  if (!server)
    throw new UserError(
      'no Temporal server was named; expected --temporal HOST:PORT or TEMPORAL_ADDRESS. The server that commands start ' +
        'for themselves needs no setting up.',
    )
  const { client, close } = await connect(server)
  try {
    const { namespace } = client.options
    if (!(await ensureSearchAttributes(client, WITHIN_MS)))
      throw new UserError(
        `the Temporal server at ${server.address} does not let Zeroshift add search attributes to the namespace ${namespace}, ` +
          `or does not know them yet. An administrator adds them: ${registration(namespace)}`,
      )
    print(
      `${server.address} knows ${Object.keys(searchAttributes).join(', ')} in the namespace ${namespace}.`,
    )
    return 0
  } finally {
    await close()
  }
}
