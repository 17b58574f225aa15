/**
 * Awaited every few hundred milliseconds of computation. It lets the event loop run and throws on
 * cancellation.
 */
export type YieldControl = () => Promise<void>
