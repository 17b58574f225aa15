import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/**
 * A proxy to a server that can be interrupted like a network. Connections of the client then stay
 * open and carry nothing. Those of the server are closed, as a failed keep-alive would do:
 * otherwise the server would give tasks to a client that cannot answer.
 */
export async function cable(port: number) {
  const pairs = new Set<readonly [near: Socket, far: Socket]>()
  /** The client's connections since the cut. */
  const unheard = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) {
      unheard.add(near)
      near.on('error', () => undefined)
      return
    }
    const far = connect(port, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', (data) => {
        if (!isCut) to.write(data)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        if (isCut) return
        to.destroy()
        pairs.delete(pair)
      })
    }
  })
  const hangUp = () => {
    for (const [near] of pairs) near.destroy()
    for (const near of unheard) near.destroy()
    pairs.clear()
    unheard.clear()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
      for (const [, far] of pairs) far.destroy()
    },
    /**
     * Restores the connection. Data that was sent meanwhile is lost: old connections end, new ones
     * work.
     */
    mend() {
      isCut = false
      hangUp()
    },
    close() {
      server.close()
      hangUp()
    },
  }
}
