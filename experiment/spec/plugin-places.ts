import { z } from 'zod'
import { isJson } from '../../common/json.ts'
import { parsePath, valueAt, withValueAt, type Path } from '../../common/path.ts'
import { findingsOf, type Finding } from './config-issues.ts'
import { applyOverrides } from './config-overrides.ts'
import { readYaml } from './config-yaml.ts'
import { builtInDataSchemas, pluginDataOptions } from './data.ts'
import { builtInModelSchemas } from './model.ts'
import { builtInRowSchemas } from './methods.ts'
import { label, pluginKinds, type LoadedPlugin, type PluginKind, type Plugins } from './plugin.ts'
import { extremes, rangeProblems, rangeSchema } from './range.ts'
import { MODULE, scoreLabel } from './score.ts'
import { targetNames } from './target.ts'
import { rowTuneSchema } from './tune.ts'

/**
 * The mappings of a config that name plug-ins. A config has the options of a plug-in beside its
 * name, like those of a built-in part, and the spec has them under `options`.
 */

type Mapping = Readonly<Record<string, unknown>>

interface PlaceDefinition {
  /** The key whose value names the module. */
  readonly key: string
  /** The keys that every such mapping may have beside the options of its plug-in. */
  readonly shape: Readonly<Record<string, z.ZodType>>
  /** Returns the mapping as the spec has it. `own` are the values of the keys of `shape`. */
  readonly toSpec: (plugin: LoadedPlugin, options: Mapping, own: Mapping) => Mapping
}

const definitions: Readonly<Record<PluginKind, PlaceDefinition>> = {
  method: {
    key: 'method',
    shape: { label, tune: rowTuneSchema },
    toSpec: ({ ref, relabels }, options, own) => ({
      method: 'plugin',
      plugin: { ...ref, relabels },
      options,
      ...own,
      label: own.label ?? ref.name,
    }),
  },
  score: {
    key: 'score',
    shape: { label: scoreLabel },
    toSpec: ({ ref }, options, own) => ({ label: own.label ?? ref.name, plugin: ref, options }),
  },
  target: {
    key: 'name',
    shape: {},
    toSpec: ({ ref }, options) => ({ plugin: ref, options }),
  },
  reader: {
    key: 'name',
    shape: pluginDataOptions,
    toSpec: ({ ref }, options, own) => ({ name: 'plugin', plugin: ref, options, ...own }),
  },
  model: {
    key: 'name',
    shape: {},
    toSpec: ({ ref }, options) => ({ name: 'plugin', plugin: ref, options }),
  },
}

/** The keys of such a mapping that no option of a plug-in can have. */
export function reservedKeys(kind: PluginKind): readonly string[] {
  const { key, shape } = definitions[kind]
  return [key, ...Object.keys(shape)]
}

/** A place in a config that names no built-in part. */
interface PluginPlace {
  readonly kind: PluginKind
  readonly name: string
  /** The path of the mapping. */
  readonly path: Path
  readonly mapping: Mapping
  /** Whether the config has the name alone in place of the mapping. */
  readonly isBare: boolean
}

/** The kinds of plug-in that a config may name without a mapping. */
const bareKinds: readonly PluginKind[] = ['target']

const noNames: ReadonlySet<string> = new Set()
const builtInMethods: ReadonlySet<string> = new Set(builtInRowSchemas.map(({ shape }) => shape.method.value))
const builtInData: ReadonlySet<string> = new Set(builtInDataSchemas.map(({ shape }) => shape.name.value))
const builtInModels: ReadonlySet<string> = new Set(builtInModelSchemas.map(({ shape }) => shape.name.value))
const builtInTargets: ReadonlySet<string> = new Set(targetNames)

function placesIn(config: unknown): readonly PluginPlace[] {
  const at = (kind: PluginKind, path: Path, builtIn: ReadonlySet<string>): readonly PluginPlace[] => {
    const { key } = definitions[kind]
    const given = valueAt(config, path)
    const isBare = typeof given === 'string' && bareKinds.includes(kind)
    const mapping = isBare ? { [key]: given } : given
    const name = valueAt(mapping, [key])
    return typeof name === 'string' && !builtIn.has(name)
      ? [{ kind, name, path, mapping: mapping as Mapping, isBare }]
      : []
  }
  const rows = listAt(config, ['methods'])
  return [
    ...at('reader', ['data'], builtInData),
    ...at('model', ['model'], builtInModels),
    ...rows.flatMap((_, i) => at('method', ['methods', i], builtInMethods)),
    ...rows.flatMap((row, i) =>
      valueAt(row, ['method']) === 'rfa' ? at('target', ['methods', i, 'target'], builtInTargets) : [],
    ),
    ...listAt(config, ['attack', 'scores']).flatMap((_, i) => at('score', ['attack', 'scores', i], noNames)),
  ]
}

function listAt(config: unknown, path: Path): readonly unknown[] {
  const list = valueAt(config, path)
  return Array.isArray(list) ? list : []
}

/** A part of a config that this repository does not have. */
export interface NamedPlugin {
  readonly kind: PluginKind
  readonly name: string
  /** Whether the option `-S` names it, and not the file. */
  readonly isOverride: boolean
}

/** The parts of a config that this repository does not have, each once. */
export function namedPlugins({
  file,
  text,
  overrides,
}: {
  readonly file: string
  readonly text: string
  readonly overrides: readonly string[]
}): readonly NamedPlugin[] {
  const { value } = readYaml(text, file)
  const keyOf = ({ kind, name }: Pick<PluginPlace, 'kind' | 'name'>) => `${kind} ${name}`
  const given = new Set(placesIn(value).map(keyOf))
  const named = placesIn(applyOverrides(value, overrides).value)
  return [...new Map(named.map((place) => [keyOf(place), place])).values()].map((place) => ({
    kind: place.kind,
    name: place.name,
    isOverride: !given.has(keyOf(place)),
  }))
}

/** The schemas of the mappings of a config that name plug-ins of a kind. */
export function mappingSchemas(kind: PluginKind, plugins: Plugins): readonly z.ZodObject[] {
  return [...(plugins[kind] ?? [])].map(([name, plugin]) => mappingSchema(kind, name, plugin))
}

function mappingSchema(kind: PluginKind, name: string, plugin: LoadedPlugin | string): z.ZodObject {
  const { key, shape } = definitions[kind]
  const named = { [key]: z.literal(name) }
  // The options of a plug-in that could not be loaded are unknown.
  if (typeof plugin === 'string') return z.looseObject(named)
  return z.strictObject({ ...named, ...shape, ...plugin.options.shape }).describe(plugin.about)
}

/**
 * What is wrong with the places of plug-ins, apart from what the schemas of the mappings report: a
 * plug-in that cannot be loaded, options that its own checks refuse, and values of a search space.
 */
export function pluginFindings(config: unknown, plugins: Plugins): readonly Finding[] {
  return placesIn(config).flatMap((place): readonly Finding[] => {
    const { kind, name, path, mapping, isBare } = place
    const plugin = plugins[kind]?.get(name)
    if (plugin === undefined) return unloadedFindings(place, plugins)
    if (typeof plugin === 'string')
      return [
        {
          path: isBare ? path : [...path, definitions[kind].key],
          message: plugin,
          at: 'value',
        },
      ]
    if (!isBare && findingsOf(mappingSchema(kind, name, plugin), mapping).length > 0) return []
    return [...ownFindings(place, plugin), ...spaceFindings(place, plugin)].map((finding) => ({
      ...finding,
      path: [...path, ...finding.path],
    }))
  })
}

/**
 * Reports a name that may be that of a module, where no module was loaded. The schemas of the other
 * kinds have built-in names, and report any other one.
 */
function unloadedFindings({ kind, name, path }: PluginPlace, plugins: Plugins): readonly Finding[] {
  if (kind !== 'score' || plugins.score || !MODULE.test(name)) return []
  const message = `there is no module "${name}"; expected a path in a config file, relative to it, or an installed package`
  return [{ path: [...path, definitions.score.key], message, at: 'value' }]
}

/** What the plug-in's own checks find. Paths are relative to the mapping. */
function ownFindings({ kind, mapping }: PluginPlace, { ref, options }: LoadedPlugin): readonly Finding[] {
  const given = optionsIn(kind, mapping)
  const { data } = options.safeParse(given)
  if (!data) return findingsOf(options, given)
  const lost = Object.entries(data).find(([, value]) => value !== undefined && !isJson(value))
  if (!lost) return []
  const message =
    `the plug-in ${ref.name} turns its option ${lost[0]} into a value that is not JSON, which no record can hold; ` +
    'let the schema keep numbers, texts, lists and mappings, and convert them where they are used'
  return [{ path: [lost[0]], message, at: 'value' }]
}

/** What is wrong with the values of a row's search space. The extreme values stand for all. */
function spaceFindings({ kind, mapping }: PluginPlace, plugin: LoadedPlugin): readonly Finding[] {
  if (kind !== 'method') return []
  const space = z.record(z.string(), rangeSchema).safeParse(valueAt(mapping, ['tune', 'space'])).data ?? {}
  return Object.entries(space).flatMap(([path, range]) => {
    if (rangeProblems(path, range).length > 0) return []
    const found = extremes(range).flatMap((value) =>
      findingsOf(
        plugin.options,
        optionsIn(kind, withValueAt(mapping, parsePath(path) ?? [path], value) as Mapping),
      ),
    )
    return [...new Set(found.map(({ message }) => message))].map((message) => ({
      path: ['tune', 'space', path],
      message,
      at: 'value' as const,
    }))
  })
}

/** The options in a mapping, without the keys that every such mapping may have. */
function optionsIn(kind: PluginKind, mapping: Mapping): Mapping {
  const reserved = reservedKeys(kind)
  return Object.fromEntries(Object.entries(mapping).filter(([key]) => !reserved.includes(key)))
}

/** A config with the mappings of its plug-ins as the spec has them. Wrong ones stay as they are. */
export function withPlugins(config: unknown, plugins: Plugins): unknown {
  return placesIn(config).reduce((value, place) => {
    const plugin = plugins[place.kind]?.get(place.name)
    const mapping = plugin === undefined || typeof plugin === 'string' ? undefined : inSpec(place, plugin)
    return mapping ? withValueAt(value, place.path, mapping) : value
  }, config)
}

function inSpec({ kind, mapping }: PluginPlace, plugin: LoadedPlugin): Mapping | undefined {
  const { data } = plugin.options.safeParse(optionsIn(kind, mapping))
  if (!data) return undefined
  const { shape, toSpec } = definitions[kind]
  const options = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))
  const own = Object.fromEntries(Object.entries(mapping).filter(([key]) => Object.hasOwn(shape, key)))
  return toSpec(plugin, options, own)
}

/** Says for an error what a module defines, and what the place needs. */
export function otherKind(name: string, found: PluginKind, wanted: PluginKind): string {
  const { noun, define } = pluginKinds[wanted]
  return `${name} defines ${pluginKinds[found].noun}, expected ${noun}: a module whose default export is ${define}({ … })`
}
