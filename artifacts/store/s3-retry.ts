import type { S3ClientConfig } from '@aws-sdk/client-s3'

type Strategy = Extract<NonNullable<S3ClientConfig['retryStrategy']>, { acquireInitialRetryToken: unknown }>
type Token = Awaited<ReturnType<Strategy['acquireInitialRetryToken']>>

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5_000

/**
 * Retries of what a server may do the next time, with growing pauses of random length. The SDK's own strategy has a
 * quota for the whole process beside it: with a server that fails a third of all requests it runs out, and then nothing
 * is retried.
 */
export function retryStrategy(attempts: number): Strategy {
  const token = (count: number, delay: number): Token => ({
    getRetryCount: () => count,
    getRetryDelay: () => delay,
  })
  return {
    acquireInitialRetryToken: () => Promise.resolve(token(0, 0)),
    refreshRetryTokenForRetry(last, { errorType, retryAfterHint }) {
      const count = last.getRetryCount() + 1
      if (errorType === 'CLIENT_ERROR' || count >= attempts)
        return Promise.reject(new Error('the attempts are used up'))
      const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** count)
      const asked = retryAfterHint === undefined ? 0 : retryAfterHint.getTime() - Date.now()
      return Promise.resolve(token(count, Math.max(asked, longest * (0.5 + Math.random() / 2))))
    },
    recordSuccess: () => undefined,
  }
}
