import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from 'yaml'
import type { Problem } from '../../common/errors.ts'
import type { Path, Place } from '../../common/path.ts'
import { errorMessage } from '../../common/errors.ts'

/** A parsed YAML text with the positions of its parts. */
export interface YamlText {
  /** The text as plain data. Undefined if it cannot be parsed. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  /** The place of a value, or of the nearest part that encloses it. */
  readonly locate: (path: Path) => Place
  /** The place of a key. */
  readonly locateKey: (path: Path) => Place
}

const MAX_CHARACTERS = 2 ** 20
/**
 * Far deeper than any config. The parser recurses and overflows the stack at some thousands of
 * levels.
 */
const MAX_DEPTH = 200
const MAX_PROBLEMS = 20

export function readYaml(text: string, file: string): YamlText {
  const refused = (message: string, line?: number): YamlText => ({
    value: undefined,
    problems: [{ file, ...(line !== undefined && { line, column: 1 }), message }],
    locate: () => ({ file }),
    locateKey: () => ({ file }),
  })
  if (text.length > MAX_CHARACTERS)
    return refused(
      `the config has ${text.length} characters, and ${MAX_CHARACTERS} is the most; is this the right file?`,
    )
  const tooDeep = lineNestedDeeper(text, MAX_DEPTH)
  if (tooDeep !== undefined)
    return refused(
      `the config is nested more than ${MAX_DEPTH} levels deep; is this the right file?`,
      tooDeep,
    )

  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    stringKeys: true,
    prettyErrors: false,
    // The parser's own check compares each key with all earlier ones, which takes minutes for a
    // file of many keys.
    uniqueKeys: false,
  })
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  const syntax = [...document.errors, ...document.warnings]
  const problems: Problem[] = [
    ...syntax.map(({ code, message, pos: [offset] }) => ({
      ...place(offset),
      message:
        code === 'MULTIPLE_DOCS'
          ? 'a second YAML document begins here; a config is one document'
          : `not valid YAML: ${message}`,
    })),
    ...duplicateKeys(document).map((offset) => ({
      ...place(offset),
      message: `duplicate key ${keyAt(text, offset)}: it is given above already; remove one of the two`,
    })),
  ].slice(0, MAX_PROBLEMS)

  let value: unknown
  if (syntax.length === 0) {
    try {
      value = document.toJS()
    } catch (error) {
      // Causes: unresolved aliases, too many expansions of aliases, and merges of values that are
      // no mappings.
      problems.push({ ...place(offsetOfAlias(document)), message: aliasProblem(error) })
    }
  }
  return {
    value,
    problems,
    locate: (path) => place(offsetOf(document, path, false)),
    locateKey: (path) => place(offsetOf(document, path, true)),
  }
}

/** The offsets of keys that occur earlier in their mapping. Merge keys may be repeated. */
function duplicateKeys(document: Document): readonly number[] {
  const offsets: number[] = []
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key) || key.value === '<<') continue
        if (seen.has(key.value)) offsets.push(start(key))
        seen.add(key.value)
      }
    },
  })
  return offsets
}

function aliasProblem(error: unknown): string {
  const message = errorMessage(error)
  return message.includes('alias count')
    ? 'not valid YAML: aliases of aliases multiply beyond all bounds; write out what is meant'
    : `not valid YAML: ${message}`
}

/**
 * The offset of an alias that cannot be resolved, or else of the alias that expands to the most
 * nodes.
 */
function offsetOfAlias(document: Document): number {
  const sizes = new Map<unknown, number>()
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) {
      const meant = node.resolve(document)
      return meant ? (sizes.get(meant) ?? 1) : Infinity
    }
    const children = isMap(node)
      ? node.items.flatMap(({ key, value }) => [key, value])
      : isSeq(node)
        ? node.items
        : []
    return children.reduce<number>((sum, child) => sum + sizeOf(child), 1)
  }
  let worst = { size: 0, offset: 0 }
  visit(document, {
    Collection(_, node) {
      // An anchor precedes its aliases, so that the sizes of its nodes are known here.
      if (node.anchor !== undefined) sizes.set(node, sizeOf(node))
    },
    Alias(_, node) {
      const size = sizeOf(node)
      if (size > worst.size) worst = { size, offset: start(node) }
    },
  })
  return worst.offset
}

/**
 * The first line at which an upper bound of the nesting depth exceeds `most`. The text is not
 * parsed.
 */
function lineNestedDeeper(text: string, most: number): number | undefined {
  let flow = 0
  let block = 0
  let line = 1
  for (const token of new Lexer().lex(text)) {
    line += token.split('\n').length - 1
    if (token === '\n' || token === '\r\n') block = 0
    else if (token === '[' || token === '{') flow++
    else if (token === ']' || token === '}') flow--
    else if (/^ +$/.test(token)) block += block === 0 ? token.length : 0
    else if (flow === 0 && (token === '-' || token === '?' || token === ':')) block++
    if (flow + block > most) return line
  }
  return undefined
}

function keyAt(text: string, offset: number): string {
  const [key = ''] = /^("[^"]*"|'[^']*'|[^:\s]*)/.exec(text.slice(offset)) ?? []
  return /^["']/.test(key) ? key : `"${key}"`
}

function offsetOf(document: Document, path: Path, ofKey: boolean): number {
  let node: unknown = document.contents
  let offset = start(node)
  for (const [i, part] of path.entries()) {
    const child = childOf(document, node, part)
    if (!child) return offset
    node = child.value
    const wantsValue = i === path.length - 1 && !ofKey && isScalar(node)
    offset = start(child.key === undefined || wantsValue ? node : child.key)
  }
  return offset
}

function start(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0
}

function childOf(
  document: Document,
  parent: unknown,
  part: string | number,
): { key?: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent
  if (isSeq(node) && typeof part === 'number')
    return part < node.items.length ? { value: node.items[part] } : undefined
  if (!isMap(node)) return undefined
  const named = node.items.find(({ key }) => isScalar(key) && key.value === part)
  if (named) return named
  for (const { key, value } of node.items) {
    if (!isScalar(key) || key.value !== '<<') continue
    for (const source of isSeq(value) ? value.items : [value]) {
      const merged = childOf(document, source, part)
      if (merged) return merged
    }
  }
  return undefined
}
