/** A trained attack on one score: at least 0 says member, below 0 non-member. */
export type Classifier = (score: number) => number

/** Awaited every few hundred milliseconds of work: the event loop breathes, a cancellation throws. */
export type YieldControl = () => Promise<void>
