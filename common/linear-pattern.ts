/**
 * Patterns that are matched in linear time. The regular expressions of JavaScript use backtracking,
 * which would take practically for ever with a pattern such as `(a+)+b` from a config or a
 * downloaded file.
 *
 * This is Thompson's construction: a pattern becomes a list of states, and all states that a text
 * can be in are followed in parallel. A match takes at most (characters of the text) × (states)
 * steps.
 */
export type Pattern =
  /** A single character. */
  | { readonly kind: 'character'; readonly is: (character: string) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'either'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly of: Pattern; readonly from: number; readonly to: number }
  /** The beginning or the end of the text. */
  | { readonly kind: 'edge'; readonly at: 'start' | 'end' }

export const sequence = (parts: readonly Pattern[]): Pattern => ({ kind: 'sequence', parts })
export const repeat = (of: Pattern, from = 0, to = Infinity): Pattern => ({ kind: 'repeat', of, from, to })
export const character = (is: (character: string) => boolean): Pattern => ({ kind: 'character', is })
export const literal = (text: string): Pattern =>
  sequence([...text].map((wanted) => character((found) => found === wanted)))

/** The pattern has too many states, because its counted repetitions multiply. */
export class PatternTooLarge extends Error {
  override readonly name = 'PatternTooLarge'
}

/** A function that tells whether a whole text matches the pattern. Throws a PatternTooLarge. */
export function matcher(pattern: Pattern, mostStates = MOST_STATES): (text: string) => boolean {
  const states = statesOf(pattern, mostStates)
  return (text) => follow(states, [...text])
}

type State =
  | { readonly kind: 'character'; readonly is: (character: string) => boolean }
  | { readonly kind: 'edge'; readonly at: 'start' | 'end' }
  /** Continues in each of these states. */
  | { readonly kind: 'fork'; readonly to: number[] }

/** A pattern of 2^20 characters without counted repetitions has fewer states. */
const MOST_STATES = 2 ** 22

/**
 * The states of a pattern. A state continues in the next one of the list, and a fork in those that
 * it names. The end of the list is a match.
 */
function statesOf(whole: Pattern, most: number): readonly State[] {
  const states: State[] = []
  let steps = 0
  const fork = (): number[] => {
    const to: number[] = []
    states.push({ kind: 'fork', to })
    return to
  }
  const repeated = (of: Pattern, from: number, to: number): void => {
    for (let i = 0; i < from; i++) add(of)
    if (to === Infinity) {
      const at = states.length
      const loop = fork()
      add(of)
      fork().push(at)
      loop.push(at + 1, states.length)
      return
    }
    const exits: number[][] = []
    for (let i = from; i < to; i++) {
      const optional = fork()
      optional.push(states.length)
      exits.push(optional)
      add(of)
    }
    for (const exit of exits) exit.push(states.length)
  }
  const either = (options: readonly Pattern[]): void => {
    const entry = fork()
    const exits = options.map((option) => {
      entry.push(states.length)
      add(option)
      return fork()
    })
    for (const exit of exits) exit.push(states.length)
  }
  const add = (pattern: Pattern): void => {
    // Empty parts count as well, because they can be repeated.
    if (++steps > most) throw new PatternTooLarge(`the pattern has more than ${most} states`)
    switch (pattern.kind) {
      case 'sequence':
        for (const part of pattern.parts) add(part)
        break
      case 'either':
        either(pattern.options)
        break
      case 'repeat':
        repeated(pattern.of, pattern.from, pattern.to)
        break
      default:
        states.push(pattern)
    }
  }
  add(whole)
  return states
}

function follow(states: readonly State[], text: readonly string[]): boolean {
  /** The last position at which each state was reached, so that none is followed twice there. */
  const reachedAt = new Int32Array(states.length + 1).fill(-1)
  let waiting: number[] = []

  const reach = (first: number, position: number): void => {
    const todo = [first]
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      if (reachedAt[at] === position) continue
      reachedAt[at] = position
      const state = states[at]
      if (state?.kind === 'fork') todo.push(...state.to)
      else if (state?.kind === 'edge') {
        if (position === (state.at === 'start' ? 0 : text.length)) todo.push(at + 1)
      } else waiting.push(at)
    }
  }

  reach(0, 0)
  for (const [i, found] of text.entries()) {
    const before = waiting
    waiting = []
    for (const at of before) {
      const state = states[at]
      if (state?.kind === 'character' && state.is(found)) reach(at + 1, i + 1)
    }
    if (waiting.length === 0) return false
  }
  return reachedAt[states.length] === text.length
}
