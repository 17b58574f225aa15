/** A path in nested data, as keys and list indices, such as ['methods', 2, 'rank']. */
export type Path = readonly (string | number)[]

/**
 * A place in a text. `line` and `column` count from 1. For the value of an override, `file` is
 * `-S path=value`.
 */
export interface Place {
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export type Locate = (path: Path) => Place

/** A path as text, such as `methods[2].rank`. */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${part}` : part),
    '',
  )
}

/** The path of a text that `formatPath` wrote. Returns undefined for any other text. */
export function parsePath(text: string): Path | undefined {
  if (!/^[^\s.[\]=]+(\.[^\s.[\]=]+|\[\d+\])*$/.test(text)) return undefined
  return [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, index]) =>
    index === undefined ? part : Number(index),
  )
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((part, i) => path[i] === part)
}

/** The value at a path of plain data. Returns undefined if there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Readonly<Record<string | number, unknown>>)[part]
        : undefined,
    root,
  )
}

/** A copy of plain data with the value at a path replaced. Missing mappings are created. */
export function withValueAt(root: unknown, [part, ...rest]: Path, value: unknown): unknown {
  if (part === undefined) return value
  const inner = withValueAt(valueAt(root, [part]), rest, value)
  if (!Array.isArray(root)) return { ...(root as object | undefined), [part]: inner }
  const items: readonly unknown[] = root
  return items.map((item, i) => (i === part ? inner : item))
}
