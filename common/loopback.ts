import { isIP } from 'node:net'

/** Whether a host, as URLs and addresses write it, is this machine: 127.0.0.0/8, ::1 or localhost. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}

/** The same of `HOST:PORT`. */
export function isLoopbackAddress(address: string): boolean {
  return isLoopbackHost(address.replace(/:\d+$/, ''))
}
