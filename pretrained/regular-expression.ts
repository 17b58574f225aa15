import {
  character,
  matcher,
  PatternTooLarge,
  repeat,
  sequence,
  type Pattern,
} from '../common/linear-pattern.ts'

/**
 * The error for an unsupported expression. Regular expressions of downloaded files are read in the
 * syntax that Python and JavaScript share: characters, `.`, classes, groups, alternatives,
 * repetitions, `^` and `$`. They are matched in linear time, so that none can block the process.
 * Backreferences and lookaround are refused.
 */
export class UnknownExpression extends Error {
  override readonly name = 'UnknownExpression'
}

const MOST_CHARACTERS = 1000
const MOST_REPETITIONS = 1000
const MOST_GROUPS_DEEP = 50
const MOST_STATES = 2 ** 16

/** Any character except a line break, as for `.`. */
const anything = character((found) => found !== '\n')

/**
 * Returns a test whether a whole name matches the expression, optionally after any prefix that ends
 * in a dot. Throws an UnknownExpression that names what is not supported.
 */
export function expressionOf(
  source: string,
  { afterAnyPrefix = false }: { readonly afterAnyPrefix?: boolean } = {},
): (name: string) => boolean {
  if (source.length > MOST_CHARACTERS)
    throw new UnknownExpression(`it has ${source.length} characters, and ${MOST_CHARACTERS} is the most`)
  const read = new Reader(source).whole()
  const dot = character((found) => found === '.')
  const prefix = repeat(sequence([repeat(anything), dot]), 0, 1)
  try {
    return matcher(afterAnyPrefix ? sequence([prefix, read]) : read, MOST_STATES)
  } catch (error) {
    if (!(error instanceof PatternTooLarge)) throw error
    throw new UnknownExpression('its counted repetitions multiply')
  }
}

/** A recursive-descent parser: alternatives of sequences of repeated atoms. */
class Reader {
  private readonly characters: readonly string[]
  private at = 0

  constructor(source: string) {
    this.characters = [...source]
  }

  whole(): Pattern {
    const pattern = this.alternatives(0)
    if (this.next !== undefined) throw new UnknownExpression('a ")" closes nothing')
    return pattern
  }

  private get next(): string | undefined {
    return this.characters[this.at]
  }

  private take(): string {
    const taken = this.next
    if (taken === undefined) throw new UnknownExpression('it ends too early')
    this.at++
    return taken
  }

  private skip(text: string): boolean {
    const isThere = [...text].every((wanted, i) => this.characters[this.at + i] === wanted)
    if (isThere) this.at += text.length
    return isThere
  }

  private alternatives(depth: number): Pattern {
    if (depth > MOST_GROUPS_DEEP)
      throw new UnknownExpression(`groups are nested more than ${MOST_GROUPS_DEEP} deep`)
    const options: Pattern[] = []
    do {
      const parts: Pattern[] = []
      while (this.next !== undefined && this.next !== '|' && this.next !== ')')
        parts.push(this.repeated(depth))
      options.push(sequence(parts))
    } while (this.skip('|'))
    return { kind: 'either', options }
  }

  private repeated(depth: number): Pattern {
    const atom = this.atom(depth)
    const [from, to] = this.times() ?? [1, 1]
    // A lazy repetition matches the same whole texts.
    this.skip('?')
    if (this.times()) throw new UnknownExpression('a repetition follows a repetition')
    return from === 1 && to === 1 ? atom : repeat(atom, from, to)
  }

  private times(): readonly [from: number, to: number] | undefined {
    if (this.skip('*')) return [0, Infinity]
    if (this.skip('+')) return [1, Infinity]
    if (this.skip('?')) return [0, 1]
    const rest = this.characters.slice(this.at).join('')
    const [all, from = '', comma, to = ''] = /^\{(\d+)(,(\d*))?\}/.exec(rest) ?? []
    if (all === undefined) return undefined
    this.at += all.length
    const most = comma === undefined ? Number(from) : to === '' ? Infinity : Number(to)
    if (
      Number(from) > MOST_REPETITIONS ||
      (most !== Infinity && most > MOST_REPETITIONS) ||
      most < Number(from)
    )
      throw new UnknownExpression(`${all} is no repetition of 0 to ${MOST_REPETITIONS} times`)
    return [Number(from), most]
  }

  private atom(depth: number): Pattern {
    const taken = this.take()
    switch (taken) {
      case '(':
        return this.group(depth)
      case '[':
        return character(this.characterClass())
      case '\\':
        return character(this.escaped())
      case '.':
        return anything
      case '^':
        return { kind: 'edge', at: 'start' }
      case '$':
        return { kind: 'edge', at: 'end' }
      case '*':
      case '+':
      case '?':
        throw new UnknownExpression(`"${taken}" repeats nothing`)
      default:
        return character((found) => found === taken)
    }
  }

  private group(depth: number): Pattern {
    if (this.next === '?' && !this.skip('?:'))
      throw new UnknownExpression(
        `"(${this.characters.slice(this.at, this.at + 3).join('')}" begins a lookaround or a named group`,
      )
    const inside = this.alternatives(depth + 1)
    if (!this.skip(')')) throw new UnknownExpression('a "(" is not closed')
    return inside
  }

  private escaped(): (found: string) => boolean {
    const taken = this.take()
    const known = classes[taken]
    if (known) return (found) => known.test(found)
    if (/[a-z0-9]/i.test(taken)) throw new UnknownExpression(`"\\${taken}" is not known`)
    return (found) => found === taken
  }

  private characterClass(): (found: string) => boolean {
    const isNegated = this.skip('^')
    const tests: ((found: string) => boolean)[] = []
    while (this.next !== ']' || tests.length === 0) {
      const first = this.take()
      if (first === '\\') tests.push(this.escaped())
      else if (this.next === '-' && this.characters[this.at + 1] !== ']') {
        this.take()
        const last = this.take()
        if (last === '\\' || last < first) throw new UnknownExpression(`"${first}-${last}" is no range`)
        tests.push((found) => found >= first && found <= last)
      } else tests.push((found) => found === first)
    }
    this.take()
    return (found) => tests.some((test) => test(found)) !== isNegated
  }
}

const classes: Readonly<Record<string, RegExp>> = {
  d: /\d/,
  D: /\D/,
  w: /\w/,
  W: /\W/,
  s: /\s/,
  S: /\S/,
}
