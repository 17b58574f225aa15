import { UserError } from '../../common/errors.ts'
import { freePort } from '../../host/free-port.ts'
import { wholeNumber } from './whole-number.ts'

/** Ports by the options that name them. Throws a UserError where one is no port, or two options name the same. */
export function namedPorts(
  options: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, number> {
  const named = new Map<string, number>()
  for (const [option, text] of Object.entries(options)) {
    if (text === undefined) continue
    const port = wholeNumber(option, text, 65_535)
    const other = [...named].find(([, taken]) => taken === port)
    if (other)
      throw new UserError(
        `${option}: found ${port}, which is the port of ${other[0]} too; expected another one`,
      )
    named.set(option, port)
  }
  return named
}

/**
 * The port that an option names, which must be free, or one near the usual one that nobody listens on and no other option
 * names. Throws a UserError.
 */
export async function portOf(
  option: string,
  usual: number,
  named: ReadonlyMap<string, number>,
): Promise<number> {
  const wanted = named.get(option)
  if (wanted === undefined) {
    let port = await freePort(usual)
    while ([...named.values()].includes(port)) port = await freePort(port + 1)
    return port
  }
  const free = await freePort(wanted)
  if (free !== wanted)
    throw new UserError(
      `${option}: port ${wanted} is in use by another program; give a free one, such as ${free}`,
    )
  return wanted
}
