import { withoutCredentials } from './credentials.ts'

/**
 * Text for a terminal. It holds names that others have chosen: of classes, folders, files, layers,
 * keys of configs. None of them may steer a terminal or show a credential.
 */

/**
 * Controls except tab and line break, and characters that reorder or hide text: bidi controls,
 * invisible characters, separators.
 */
const CONTROLS =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g // eslint-disable-line no-control-regex
/** The colours that commands use themselves. */
const COLOUR = /^\x1b\[(?:0|1|2|22|3[0-9]|90)m/ // eslint-disable-line no-control-regex

/**
 * A text whose control characters are written out, such as \x1b. Line breaks stay, and so do colours
 * where they are wanted.
 */
export function visible(text: string, { colour = false }: { readonly colour?: boolean } = {}): string {
  return masked(text).replace(CONTROLS, (found, at: number, whole: string) =>
    colour && COLOUR.test(whole.slice(at, at + 6)) ? found : escaped(found),
  )
}

/** The same as one line. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** JSON in which the characters that a terminal obeys are escaped as JSON has it. */
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
 * A text without the credentials in its URLs. Functions for paths turn `https://` into `https:/`,
 * which is recognised too.
 */
export function masked(text: string): string {
  return withoutCredentials(text)
    .replace(/(\b[a-z][a-z0-9+.-]{1,20}:\/)(?!\/)[^\s/?#"]*@/gi, '$1…@')
    .replace(/(\b[a-z][a-z0-9+.-]{1,20}:\/)(?!\/)[^\s/?#"@:]*:(?!\d+[/?#])[^\s"@]*@/gi, '$1…@')
}

/** Of a word that is cut, on each side. */
const SHOWN = 60

/** A text whose words of more than 200 characters are cut in the middle, and say how long they are. */
export function shortened(text: string): string {
  return masked(text).replace(/\S{201,}/gu, (word) => {
    const characters = [...word]
    const [start, end] = [characters.slice(0, SHOWN), characters.slice(-SHOWN)]
    return `${start.join('')}…(${characters.length} characters)…${end.join('')}`
  })
}
