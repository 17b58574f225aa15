import { execFileSync, spawnSync } from 'node:child_process'
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * Separate hosts on one machine. Each is a network namespace with a virtual cable to this one, over
 * which it reaches each service at an address of its own. The route to an address can be lost as on
 * a real network: packets are dropped without a message.
 */

/** Network namespaces are for root, and not every container has them. */
export const hostsPossible = (() => {
  const name = `zs${process.pid}`
  const made = spawnSync('ip', ['netns', 'add', name]).status === 0
  if (made) spawnSync('ip', ['netns', 'del', name])
  return made
})()

export interface Host {
  /** The words to put before a command so that it runs on the host. */
  readonly exec: readonly string[]
  /** The address at which the host reaches a service. */
  address(service: string): string
  /** Whether a connection comes about within two seconds. */
  reaches(service: string): boolean
  /** From now on what is sent to the service is lost. */
  lose(service: string): void
  /** The way is there again. */
  find(service: string): void
}

/** `services`: ports of servers on 127.0.0.1, by name. Addresses are from 10.213.0.0/16. */
export async function network(count: number, services: Readonly<Record<string, number>>) {
  const names = Object.keys(services)
  const here = names.map((_, s) => (host: number) => `10.213.${host}.${10 + s}`)
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  const namespaces = Array.from({ length: count }, (_, h) => `zs${process.pid}-${h}`)
  const close = () => {
    for (const server of servers) server.close()
    for (const socket of sockets) socket.destroy()
    for (const namespace of namespaces) spawnSync('ip', ['netns', 'del', namespace])
  }
  try {
    for (const [h, namespace] of namespaces.entries()) {
      const [near, far] = [`zs${process.pid % 100_000}n${h}`, `zs${process.pid % 100_000}f${h}`]
      ip('netns', 'add', namespace)
      ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', namespace)
      for (const address of here) ip('addr', 'add', `${address(h)}/24`, 'dev', near)
      ip('link', 'set', near, 'up')
      ip('-n', namespace, 'addr', 'add', `10.213.${h}.2/24`, 'dev', far)
      ip('-n', namespace, 'link', 'set', far, 'up')
      ip('-n', namespace, 'link', 'set', 'lo', 'up')
      for (const [s, name] of names.entries())
        servers.push(await forward(here[s]?.(h) ?? '', services[name] ?? 0, sockets))
    }
  } catch (error) {
    close()
    throw error
  }
  const hosts = namespaces.map((namespace, h): Host => {
    const addressOf = (service: string) => here[names.indexOf(service)]?.(h) ?? ''
    const device = `zs${process.pid % 100_000}f${h}`
    return {
      exec: ['ip', 'netns', 'exec', namespace],
      address: (service) => `${addressOf(service)}:${services[service] ?? 0}`,
      reaches(service) {
        const port = String(services[service])
        const probe = ['bash', '-c', `</dev/tcp/${addressOf(service)}/${port}`]
        return spawnSync('ip', ['netns', 'exec', namespace, 'timeout', '2', ...probe]).status === 0
      },
      lose(service) {
        // A neighbour that nobody is.
        const nobody = ['lladdr', '02:00:00:00:00:01', 'nud', 'permanent']
        ip('-n', namespace, 'neigh', 'replace', addressOf(service), 'dev', device, ...nobody)
      },
      find(service) {
        ip('-n', namespace, 'neigh', 'del', addressOf(service), 'dev', device)
      },
    }
  })
  return { hosts, close }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Servers answer on 127.0.0.1 alone. */
async function forward(address: string, port: number, sockets: Set<Socket>): Promise<Server> {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
  return server
}
