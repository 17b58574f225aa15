/**
 * The place in the page, which is behind `#` in its address: `#/runs/ID/samples?sort=-gap`. The
 * whole state of a view that a reader may want to share is in it.
 */
export interface Route {
  readonly path: readonly string[]
  readonly query: Query
}

export type Query = Readonly<Record<string, string>>
/** Changes of a query. Undefined removes a parameter. */
export type QueryChange = Readonly<Record<string, string | undefined>>

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = split(hash.replace(/^#/, ''))
  return {
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(decoded),
    query: Object.fromEntries(new URLSearchParams(query)),
  }
}

/** Returns the address of a place. Parameters are sorted, so that one state has one address. */
export function hashOf(path: readonly string[], query: QueryChange = {}): string {
  const given = Object.entries(query).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, value]],
  )
  const text = new URLSearchParams(given.sort(([a], [b]) => (a < b ? -1 : 1))).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`
}

function split(text: string): readonly string[] {
  const at = text.indexOf('?')
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

/** Someone may have typed the address. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Lists in a parameter: `a,b`. Commas within items are escaped. */
export function listOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(',').map(decoded)
}

export function listText(items: readonly string[]): string | undefined {
  return items.length === 0
    ? undefined
    : items.map((item) => item.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',')
}
