import { once } from 'node:events'
import { createServer as createHttpServer, request, type ServerResponse } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

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

/** An HTTP server in front of another one, that answers late or not at all. */
export async function httpProxy(target: string) {
  const faults = { delayMs: 0, refuseEvery: Infinity }
  let requests = 0
  const server = createHttpServer((asked, answer: ServerResponse) => {
    requests += 1
    const refuse = requests % faults.refuseEvery === 0
    void sleep(faults.delayMs).then(() => {
      if (refuse) {
        asked.resume()
        answer.writeHead(503).end()
        return
      }
      const onwards = request(new URL(asked.url ?? '/', target), {
        method: asked.method,
        headers: asked.headers,
        setHost: false,
      })
      onwards.on('response', (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers)
        response.pipe(answer)
      })
      onwards.on('error', () => answer.destroy())
      asked.on('error', () => onwards.destroy())
      asked.pipe(onwards)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
