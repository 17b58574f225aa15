import { UserError } from '../experiment/errors.ts'
import { freePort } from '../worker/server.ts'
import { wholeNumber } from './whole-number.ts'

/** An option that names a port. */
export interface PortOption {
  readonly option: string
  readonly text: string | undefined
}

/** Throws a UserError where a port is none, or two options name the same one. */
export function refuseSharedPorts(options: readonly PortOption[]): ReadonlySet<number> {
  const named = new Map<number, string>()
  for (const { option, text } of options) {
    if (text === undefined) continue
    const port = wholeNumber(option, text, 65_535)
    const other = named.get(port)
    if (other !== undefined)
      throw new UserError(`${option}: found ${port}, which is the port of ${other} too; expected another one`)
    named.set(port, option)
  }
  return new Set(named.keys())
}

/**
 * The port that was asked for, which must be free, or one near the usual one that nobody listens on or is `promised`.
 * Throws a UserError.
 */
export async function portOf(
  { option, text }: PortOption,
  usual: number,
  promised: ReadonlySet<number>,
): Promise<number> {
  if (text === undefined) {
    let port = await freePort(usual)
    while (promised.has(port)) port = await freePort(port + 1)
    return port
  }
  const port = Number(text)
  const free = await freePort(port)
  if (free !== port)
    throw new UserError(
      `${option}: port ${port} is in use by another program; give a free one, such as ${free}`,
    )
  return port
}
