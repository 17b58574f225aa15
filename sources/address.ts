import { lookup as resolveName } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { UserError } from '../common/errors.ts'

/**
 * Addresses that give credentials and other private data to any process on this machine or in its
 * cloud. Configs come from anywhere, and must not make a worker send requests to these addresses.
 */
const metadata = new BlockList()
metadata.addSubnet('169.254.0.0', 16, 'ipv4') // link-local, and most clouds' metadata
metadata.addSubnet('fe80::', 10, 'ipv6')
metadata.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6') // link-local again, as networks without IPv4 write it
metadata.addAddress('fd00:ec2::254', 'ipv6') // Amazon
metadata.addAddress('fd20:ce::254', 'ipv6') // Google
metadata.addAddress('100.100.100.200', 'ipv4') // Alibaba
metadata.addAddress('168.63.129.16', 'ipv4') // Azure
metadata.addAddress('192.0.0.192', 'ipv4') // Oracle
metadata.addSubnet('0.0.0.0', 8, 'ipv4') // this machine by another name
metadata.addAddress('::', 'ipv6')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const METADATA_NAMES = /^(metadata(\.google\.internal|\.goog)?|instance-data(\.ec2\.internal)?)$/

const isIn = (list: BlockList, address: string) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** The host of a URL in a normalised spelling. */
function hostOf({ hostname }: URL): string {
  return hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
}

/** Whether the host of a URL, without a look-up of names, is this machine. */
export function isLoopback(url: URL): boolean {
  const host = hostOf(url)
  return isIP(host) === 0 ? host === 'localhost' || host.endsWith('.localhost') : isIn(loopback, host)
}

/** Throws a UserError for a link-local or metadata address. */
export function refuseMetadata(url: URL): void {
  const host = hostOf(url)
  if (METADATA_NAMES.test(host) || (isIP(host) !== 0 && isIn(metadata, host)))
    throw new UserError(
      `${url.origin} is a link-local or metadata address, which is never asked; expected another host`,
    )
}

/** Throws a UserError for a forbidden address, and for http to another machine. */
export function refuseHost(url: URL): void {
  refuseMetadata(url)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))) return
  throw new UserError(
    `${url.protocol}//${url.host} is not encrypted; expected https:// (http:// is for this machine alone, such as http://127.0.0.1)`,
  )
}

/**
 * A look-up of names for connections that also checks the addresses, since a name can resolve to
 * any address. Only `localhost` and the like may resolve to this machine, unless `mayBeHere` is
 * true.
 */
export function guardedLookup(
  resolve: typeof resolveName = resolveName,
  { mayBeHere = false }: { readonly mayBeHere?: boolean } = {},
): LookupFunction {
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error) {
        done(error, [])
        return
      }
      const isOwnName = mayBeHere || isLoopback(new URL(`http://${name}`))
      const wrong = addresses.find(
        ({ address }) => isIn(metadata, address) || (!isOwnName && isIn(loopback, address)),
      )
      if (wrong) {
        const kind = isIn(metadata, wrong.address)
          ? 'a link-local or metadata address'
          : 'this machine itself'
        const message = `${name} resolves to ${wrong.address}, ${kind}, which is never asked; expected another host`
        done(new UserError(message), [])
        return
      }
      const [first] = addresses
      if (options.all || !first) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }
}
