import { withoutCredentials } from './credentials.ts'

/**
 * Text for a terminal. It may contain names from anywhere, such as those of classes, files and
 * layers. None of them may control the terminal or show a credential.
 *
 * These are the control characters except tab and line break, and the characters that reorder or
 * hide text: bidi controls, invisible characters and separators.
 */
const CONTROLS =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g // eslint-disable-line no-control-regex
/** The colour codes that commands use themselves. */
const COLOUR = /^\x1b\[(?:0|1|2|22|3[0-9]|90)m/ // eslint-disable-line no-control-regex

/**
 * A text with escape sequences, such as \x1b, in place of its control characters. Line breaks stay,
 * and colour codes stay if `colour` is true.
 */
export function visible(text: string, { colour = false }: { readonly colour?: boolean } = {}): string {
  return masked(text).replace(CONTROLS, (found, at: number, whole: string) =>
    colour && COLOUR.test(whole.slice(at, at + 6)) ? found : escaped(found),
  )
}

/** The same text in one line. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** JSON with JSON's own escape sequences in place of the characters that a terminal obeys. */
export function visibleJson(json: string): string {
  return json.replace(CONTROLS, (found) => `\\u${hexadecimal(found, 4)}`)
}

function escaped(character: string): string {
  if (character === '\r') return '\\r'
  return character.charCodeAt(0) < 256 ? `\\x${hexadecimal(character, 2)}` : `\\u${hexadecimal(character, 4)}`
}

function hexadecimal(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0')
}

/**
 * A text without the credentials in its URLs. It also recognises `https:/`, since functions for
 * paths remove one of two slashes.
 */
export function masked(text: string): string {
  return withoutCredentials(text)
    .replace(/(\b[a-z][a-z0-9+.-]{1,20}:\/)(?!\/)[^\s/?#"]*@/gi, '$1…@')
    .replace(/(\b[a-z][a-z0-9+.-]{1,20}:\/)(?!\/)[^\s/?#"@:]*:(?!\d+[/?#])[^\s"@]*@/gi, '$1…@')
}

/** The number of characters that are shown at each end of a shortened word. */
const SHOWN = 60

/** A text in which words of more than 200 characters are shortened, with their lengths. */
export function shortened(text: string): string {
  return masked(text).replace(/\S{201,}/gu, (word) => {
    const characters = [...word]
    const [start, end] = [characters.slice(0, SHOWN), characters.slice(-SHOWN)]
    return `${start.join('')}…(${characters.length} characters)…${end.join('')}`
  })
}
