/** Numbers reasons in the order in which they turn up; the same reason keeps its number. */
export interface Footnotes {
  number(reason: string): number
  all(): readonly string[]
}

export function footnotes(): Footnotes {
  const reasons: string[] = []
  return {
    number(reason) {
      if (!reasons.includes(reason)) reasons.push(reason)
      return reasons.indexOf(reason) + 1
    },
    all: () => reasons,
  }
}
