/** A trained attack on one score. A result of 0 or more means member, below 0 non-member. */
export type Classifier = (score: number) => number
