import { UserError } from '../../common/errors.ts'
import type { EndpointOptions } from '../../worker/endpoint.ts'
import { wholeNumber } from '../options/whole-number.ts'

/**
 * Returns the address at which a worker serves its metrics, only for this machine by default.
 * `workers` is the number of workers, which take successive ports. Throws a UserError.
 */
export function endpointOf(
  port: string | undefined,
  host: string | undefined,
  workers = 1,
): EndpointOptions | undefined {
  if (port === undefined) {
    if (host === undefined) return undefined
    throw new UserError('--metrics-host: found without --metrics-port; expected both')
  }
  return { host: host ?? '127.0.0.1', port: wholeNumber('--metrics-port', port, 65_536 - workers) }
}
