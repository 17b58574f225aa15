import { NativeConnection } from '@temporalio/worker'
import pRetry, { AbortError } from 'p-retry'
import type { UserError } from '../common/errors.ts'
import { refusalBy } from './refusals.ts'
import type { TemporalSettings } from './temporal-settings.ts'

/** A server that is starting may reject valid settings for a moment. */
const REFUSED_MS = 5_000
/** Waits that are shorter than this are not reported. */
const QUIET_MS = 5_000
const DESCRIBE_MS = 10_000

export interface ConnectOptions {
  /** How long to try to reach a server that does not answer yet. */
  readonly seconds: number
  readonly signal?: AbortSignal | undefined
  /**
   * Is called once for each reason why there is no connection yet, with the seconds that are left.
   */
  readonly onWait?: ((reason: string, secondsLeft: number) => void) | undefined
}

/**
 * Connects to a server and checks that it accepts these settings in their namespace. A server that
 * was just started answers after a second or two. The SDK itself handles later outages. Throws a
 * UserError if the server keeps rejecting the settings.
 */
export async function connectWorker(
  settings: TemporalSettings,
  { seconds, signal, onWait }: ConnectOptions,
): Promise<NativeConnection> {
  const began = performance.now()
  const warnedOf = new Set<string>()
  let refusedSince: number | undefined
  const attempt = async () => {
    try {
      return await connectOnce(settings)
    } catch (error) {
      const refusal = await refusalBy(error, settings)
      const now = performance.now()
      refusedSince = refusal && (refusedSince ?? now)
      if (refusal && refusedSince !== undefined && now - refusedSince >= REFUSED_MS)
        throw new AbortError(refusal)
      report(error, refusal, now)
      throw error
    }
  }
  const report = (error: unknown, refusal: UserError | undefined, now: number) => {
    const reason = (refusal ?? (error as Error)).message
    if (now - began < QUIET_MS || warnedOf.has(reason)) return
    warnedOf.add(reason)
    onWait?.(reason, Math.max(0, seconds - (now - began) / 1000))
  }
  return pRetry(attempt, {
    retries: Infinity,
    factor: 1.3,
    minTimeout: 50,
    maxTimeout: 2_000,
    maxRetryTime: seconds * 1000,
    ...(signal && { signal }),
  })
}

async function connectOnce({
  address,
  tls,
  apiKey,
  namespace = 'default',
}: TemporalSettings): Promise<NativeConnection> {
  const connection = await NativeConnection.connect({
    address,
    tls: tls ?? false,
    ...(apiKey !== undefined && { apiKey }),
  })
  try {
    await connection.withDeadline(Date.now() + DESCRIBE_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    )
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}
