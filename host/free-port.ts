import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/**
 * The ports to choose from if any port will do. They are below the range of ephemeral ports, from
 * which systems assign ports themselves (32,768 and up on Linux, 49,152 and up elsewhere):
 * Temporal's dev server uses a dozen of those before it listens on the port that it was given.
 */
const anyPort = { from: 10_000, to: 32_000 }

/**
 * Returns a port of 127.0.0.1 that nobody listens on at this moment: `wanted` or one of the 99
 * after it, or a random one if none is wanted.
 */
export async function freePort(wanted?: number): Promise<number> {
  const from = wanted ?? randomInt(anyPort.from, anyPort.to)
  for (let port = from; port < from + 100 && port < 65_536; port++) if (await isFree(port)) return port
  throw new Error(`none of the 100 ports from ${from} on is free on 127.0.0.1`)
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  try {
    probe.listen(port, '127.0.0.1')
    await once(probe, 'listening')
  } catch {
    return false
  }
  probe.close()
  await once(probe, 'close')
  return true
}

/** Returns whether a server accepts connections on a port of 127.0.0.1. */
export function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (accepted: boolean) => () => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}
