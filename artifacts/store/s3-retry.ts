import type { S3ClientConfig } from '@aws-sdk/client-s3'

type Strategy = Extract<NonNullable<S3ClientConfig['retryStrategy']>, { acquireInitialRetryToken: unknown }>
type Token = Awaited<ReturnType<Strategy['acquireInitialRetryToken']>>

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5_000

/**
 * A retry strategy for failures that may pass, with growing pauses of random length. The SDK's own
 * strategy also limits the retries of the whole process. With a server that fails a third of all
 * requests, this quota runs out, and nothing is retried any more.
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
      const requested = retryAfterHint === undefined ? 0 : retryAfterHint.getTime() - Date.now()
      return Promise.resolve(token(count, Math.max(requested, longest * (0.5 + Math.random() / 2))))
    },
    recordSuccess: () => undefined,
  }
}
