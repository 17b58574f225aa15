import { UserError } from '../../common/errors.ts'
import { freePort } from '../../host/free-port.ts'
import { wholeNumber } from './whole-number.ts'

/**
 * Returns the port that each option names. Throws a UserError if a value is no port, or if two
 * options name the same port.
 */
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
 * Returns the port that an option names, which must be free. Without the option it returns a free
 * port near the usual one that no other option names. Throws a UserError.
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
