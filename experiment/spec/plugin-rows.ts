import { z } from 'zod'
import { parsePath, valueAt, withValueAt } from '../../common/path.ts'
import { isJson } from '../../common/json.ts'
import { applyOverrides } from './config-overrides.ts'
import { findingsOf, type Finding } from './config-issues.ts'
import { readYaml } from './config-yaml.ts'
import { builtInRowSchemas } from './methods.ts'
import { label, type LoadedPlugin, type PluginRow, type Plugins } from './plugin.ts'
import { extremes, rangeProblems, rangeSchema } from './range.ts'
import { rowTuneSchema } from './tune.ts'

/**
 * The rows of a config whose methods are plug-ins. A config has the options of a plug-in beside its
 * `method`, like those of any other method, and the spec has them under `options`.
 */

type Row = Readonly<Record<string, unknown>> & { readonly method: string }

/** The value of `method` in a row of a config, if it names no method of this repository. */
export interface OtherMethod {
  readonly name: string
  /** Whether the option `-S` gives it, and not the file. */
  readonly isOverride: boolean
}

const builtIn: ReadonlySet<string> = new Set(builtInRowSchemas.map(({ shape }) => shape.method.value))

/** The methods of a config that this repository does not have, each once. */
export function otherMethods({
  file,
  text,
  overrides,
}: {
  readonly file: string
  readonly text: string
  readonly overrides: readonly string[]
}): readonly OtherMethod[] {
  const { value } = readYaml(text, file)
  const given = new Set(namesIn(value))
  const names = namesIn(applyOverrides(value, overrides).value)
  return [...new Set(names)]
    .filter((name) => !builtIn.has(name))
    .map((name) => ({ name, isOverride: !given.has(name) }))
}

function namesIn(config: unknown): readonly string[] {
  return rowsOf(config).flatMap((row) => (isRow(row) ? [row.method] : []))
}

function rowsOf(config: unknown): readonly unknown[] {
  const rows = valueAt(config, ['methods'])
  return Array.isArray(rows) ? rows : []
}

function isRow(row: unknown): row is Row {
  return typeof row === 'object' && row !== null && 'method' in row && typeof row.method === 'string'
}

/** The schema of a config's row, where `method` may also name one of these plug-ins. */
export function rowSchemaWith(plugins: Plugins) {
  const others = [...plugins].map(([name, plugin]): z.ZodObject => pluginRow(name, plugin))
  return z.discriminatedUnion('method', [...builtInRowSchemas, ...others])
}

function pluginRow(name: string, plugin: LoadedPlugin | string): z.ZodObject {
  const method = z.literal(name)
  // The options of a plug-in that could not be loaded are unknown.
  if (typeof plugin === 'string') return z.looseObject({ method })
  return z
    .strictObject({ method, label, ...plugin.options.shape, tune: rowTuneSchema })
    .describe(plugin.about)
}

/**
 * What is wrong with the rows of plug-ins, apart from what `rowSchemaWith` reports: a plug-in that
 * cannot be loaded, options that its own checks refuse, and values of a search space.
 */
export function pluginFindings(config: unknown, plugins: Plugins): readonly Finding[] {
  return rowsOf(config).flatMap((row, i) => {
    if (!isRow(row)) return []
    const plugin = plugins.get(row.method)
    if (plugin === undefined) return []
    const path = ['methods', i]
    if (typeof plugin === 'string')
      return [{ path: [...path, 'method'], message: plugin, at: 'value' as const }]
    if (findingsOf(pluginRow(row.method, plugin), row).length > 0) return []
    return [...ownFindings(row, plugin), ...spaceFindings(row, plugin)].map((finding) => ({
      ...finding,
      path: [...path, ...finding.path],
    }))
  })
}

/** What the plug-in's own checks find. Paths are relative to the row. */
function ownFindings(row: Row, { ref, options }: LoadedPlugin): readonly Finding[] {
  const given = optionsIn(row)
  const { data } = options.safeParse(given)
  if (!data) return findingsOf(options, given)
  const lost = Object.entries(data).find(([, value]) => value !== undefined && !isJson(value))
  if (!lost) return []
  const message =
    `the plug-in ${ref.name} turns its option ${lost[0]} into a value that is not JSON, which no record can hold; ` +
    'let the schema keep numbers, texts, lists and mappings, and convert them in unlearn'
  return [{ path: [lost[0]], message, at: 'value' }]
}

/** What is wrong with the values of a row's search space. The extreme values stand for all. */
function spaceFindings(row: Row, plugin: LoadedPlugin): readonly Finding[] {
  const space = z.record(z.string(), rangeSchema).safeParse(valueAt(row, ['tune', 'space'])).data ?? {}
  return Object.entries(space).flatMap(([path, range]) => {
    if (rangeProblems(path, range).length > 0) return []
    const found = extremes(range).flatMap((value) =>
      findingsOf(plugin.options, optionsIn(withValueAt(row, parsePath(path) ?? [path], value))),
    )
    return [...new Set(found.map(({ message }) => message))].map((message) => ({
      path: ['tune', 'space', path],
      message,
      at: 'value' as const,
    }))
  })
}

/** The options in a row, without the keys that every row may have. */
function optionsIn(row: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row as object).filter(([key]) => !['method', 'label', 'tune'].includes(key)),
  )
}

/** A config with the rows of its plug-ins as the spec has them. Wrong rows stay as they are. */
export function withPluginRows(config: unknown, plugins: Plugins): unknown {
  if (plugins.size === 0 || typeof config !== 'object' || config === null) return config
  const rows = rowsOf(config).map((row) => {
    const plugin = isRow(row) ? plugins.get(row.method) : undefined
    return plugin === undefined || typeof plugin === 'string' ? row : specRow(row as Row, plugin)
  })
  return rows.length === 0 ? config : { ...config, methods: rows }
}

function specRow(row: Row, { ref, options }: LoadedPlugin): unknown {
  const { data } = options.safeParse(optionsIn(row))
  if (!data) return row
  const given = Object.entries(data).filter(([, value]) => value !== undefined)
  return {
    method: 'plugin' satisfies PluginRow['method'],
    label: row.label ?? ref.name,
    plugin: ref,
    options: Object.fromEntries(given),
    ...('tune' in row && { tune: row.tune }),
  }
}
