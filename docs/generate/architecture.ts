import { createRequire } from 'node:module'
import { z } from 'zod'
import { code, table } from './markdown.ts'

const configuration = z.object({
  forbidden: z.array(
    z.object({
      name: z.string(),
      to: z.object({ pathNot: z.unknown().optional() }),
    }),
  ),
})

/** The arrows between folders that .dependency-cruiser.cjs allows. */
export interface Arrows {
  readonly folder: string
  readonly values: readonly string[]
  /** Folders of which types alone may be imported. */
  readonly types: readonly string[]
}

function allowedArrows(): readonly Arrows[] {
  const { forbidden } = configuration.parse(createRequire(import.meta.url)('../../.dependency-cruiser.cjs'))
  const allowed = new Map(forbidden.map(({ name, to }) => [name, alternatives(to.pathNot)]))
  return [...allowed].flatMap(([rule, values]) => {
    const folder = /^(\w+)-imports$/.exec(rule)?.[1]
    if (folder === undefined) return []
    const types = allowed.get(`${rule}-types`) ?? []
    const others = values.filter((name) => name !== folder)
    return [
      { folder, values: others, types: types.filter((name) => name !== folder && !values.includes(name)) },
    ]
  })
}

/** The names in a pattern such as ^(common|host)/. */
function alternatives(pattern: unknown): readonly string[] {
  const names = typeof pattern === 'string' ? /^\^\(([\w|]+)\)\/$/.exec(pattern)?.[1] : undefined
  return names?.split('|') ?? []
}

/** The table of docs/development/architecture.md. */
export function arrowTable(): string {
  return table(
    ['folder', 'may import'],
    allowedArrows().map(({ folder, values, types }) => [
      code(`${folder}/`),
      [...values.map(code), ...types.map((name) => `${code(name)} (types only)`)].join(', ') ||
        'no other folder',
    ]),
  )
}
