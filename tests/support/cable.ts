import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A cable to a server, that can be cut: connections stay open and carry nothing, as in a network partition. */
export async function cable(port: number) {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isCut = false
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', (data) => {
        if (!isCut) to.write(data)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true
    },
    /** What was sent meanwhile is lost: the connections end, and new ones work. */
    mend() {
      isCut = false
      for (const [near] of pairs) near.destroy()
    },
    close() {
      server.close()
      for (const [near] of pairs) near.destroy()
    },
  }
}
