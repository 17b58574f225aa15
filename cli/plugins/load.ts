import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { keepBundle, keptBundle } from '../../api/bundle-cache.ts'
import * as options from '../../api/options.ts'
import * as pure from '../../api/pure.ts'
import { definitionIn, definitionOf } from '../../api/read-definition.ts'
import { register } from '../../api/registry.ts'
import { sha256 } from '../../common/canonical.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { errorMessage, UserError } from '../../common/errors.ts'
import { formatPath } from '../../common/path.ts'
import { unwritable } from '../../common/unwritable.ts'
import type { PluginReader } from '../../datasets/index.ts'
import { pluginReader } from '../../datasets/plugin-reader.ts'
import { checkLayerList } from '../../experiment/models/check-list.ts'
import type { ModelInput } from '../../experiment/models/define-model.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import { layerListSchema } from '../../experiment/spec/layer-list.ts'
import { namedPlugins, otherKind } from '../../experiment/spec/plugin-places.ts'
import {
  noPlugins,
  pluginKinds,
  type LoadedPlugin,
  type PluginKind,
  type PluginOptions,
  type PluginRef,
  type Plugins,
} from '../../experiment/spec/plugin.ts'
import { bundlePlugin, type ModuleSource } from './bundle.ts'

interface ConfigText {
  readonly file: string
  readonly text: string
  readonly overrides: readonly string[]
}

/** Returns the plug-ins that a config names. Each is bundled once, however many points name it. */
export type PluginLoader = (config: ConfigText) => Promise<Plugins>

export function createPluginLoader(): PluginLoader {
  const loaded = new Map<string, Promise<LoadedPlugin | string>>()
  const load = (source: ModuleSource) => {
    const key = JSON.stringify(source)
    const found = loaded.get(key) ?? loadedOrProblem(source)
    loaded.set(key, found)
    return found
  }
  return async (config) => {
    const plugins = await mapConcurrently(namedPlugins(config), async ({ kind, name, isOverride }) => {
      // A path on the command line is relative to the working directory, as for other options.
      const source = sourceOf(name, isOverride ? '.' : dirname(config.file))
      if (!source) return []
      const plugin = await load(source)
      const isOther = typeof plugin !== 'string' && plugin.kind !== kind
      return [{ kind, name, plugin: isOther ? otherKind(name, plugin.kind, kind) : plugin }]
    })
    return pluginsOf(plugins.flat())
  }
}

/** Plug-ins by the kinds and names of the places that name them. */
export function pluginsOf(
  loaded: readonly {
    readonly kind: PluginKind
    readonly name: string
    readonly plugin: LoadedPlugin | string
  }[],
): Plugins {
  const kinds = new Set(loaded.map(({ kind }) => kind))
  const entries = [...kinds].map((of) => {
    const own = loaded.filter(({ kind }) => kind === of)
    return [of, new Map(own.map(({ name, plugin }) => [name, plugin]))] as const
  })
  return loaded.length === 0 ? noPlugins : Object.fromEntries(entries)
}

/** Loads the plug-in that a command names. Throws a UserError. */
export async function loadNamed(name: string): Promise<LoadedPlugin> {
  const source = sourceOf(name, '.')
  if (!source) throw new UserError(`--with ${name}: there is no such file and no such package`)
  const loaded = await loadedOrProblem(source)
  if (typeof loaded === 'string') throw new UserError(`--with ${name}: ${loaded}`)
  return loaded
}

/**
 * The module that a config names: a path, or a package that modules in the folder can import.
 * Returns undefined for any other text, which is a misspelt name of a built-in part.
 */
function sourceOf(name: string, folder: string): ModuleSource | undefined {
  if (/^\.{1,2}\//.test(name) || isAbsolute(name)) return { kind: 'file', path: resolve(folder, name) }
  const [packageName] = /^(@[\w.-]+\/)?[\w-][\w.-]*(?=$|\/)/.exec(name) ?? []
  if (packageName === undefined || !hasPackage(packageName, resolve(folder))) return undefined
  return { kind: 'package', name, folder: resolve(folder) }
}

function hasPackage(name: string, folder: string): boolean {
  if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true
  const parent = dirname(folder)
  return parent !== folder && hasPackage(name, parent)
}

function loadedOrProblem(source: ModuleSource): Promise<LoadedPlugin | string> {
  return load(source).catch((error: unknown) => {
    if (error instanceof UserError) return error.message.replaceAll('\n', '; ')
    throw error
  })
}

/** Bundles a plug-in, keeps the bundle in the cache, and executes it to learn its options. */
async function load(source: ModuleSource): Promise<LoadedPlugin> {
  const where = source.kind === 'file' ? source.path : `the package ${source.name}`
  if (source.kind === 'file') await refuseMissing(source.path)
  const bytes = await bundlePlugin(source).catch((error: unknown) => {
    throw error instanceof UserError ? new UserError(`${where} cannot be bundled: ${error.message}`) : error
  })
  const file = await keepBundle('bundled', bytes).catch((error: unknown) => {
    throw new UserError(
      `the bundle of ${where} cannot be kept in the cache: ${unwritable(error)}; name another directory as ZEROSHIFT_CACHE`,
    )
  })
  const module: unknown = await importBundle(file).catch((error: unknown) => {
    throw new UserError(`${where} cannot be loaded: ${errorMessage(error)}`)
  })
  const { kind, definition } = definitionIn(module, where)
  const { name, about, options: schema } = definition
  return {
    kind,
    ref: { name, sha256: sha256(bytes), bytes: bytes.length },
    about,
    options: schema,
    relabels: kind === 'method' && definition.relabels === true,
  }
}

/** Imports a bundle in a process without TensorFlow. */
function importBundle(file: string): Promise<unknown> {
  register({ ...options, ...pure })
  // The query gives this instance a place of its own among the modules of the process: a worker in
  // the same process imports another one, with TensorFlow.
  return import(`${pathToFileURL(file).href}?options`)
}

/** The reader of data that a plug-in reads. Undefined for a built-in data set. */
export async function readerFor(data: DataSpec): Promise<PluginReader | undefined> {
  if (data.name !== 'plugin') return undefined
  return pluginReader(await definitionAgain('reader', data.plugin))
}

/**
 * Returns the layers of the model that a plug-in defines. Throws a UserError if they do not fit the
 * data or each other.
 */
export async function layersOfPlugin(
  plugin: PluginRef,
  input: ModelInput,
  options: PluginOptions,
): Promise<readonly Layer[]> {
  const { layers } = await definitionAgain('model', plugin)
  const refuse = (reason: string): never => {
    throw new UserError([
      { path: 'model.name', message: `the model ${plugin.name} has no usable layers: ${reason}` },
    ])
  }
  try {
    const found = typeof layers === 'function' ? layers(input, options) : layers
    const { data, error } = layerListSchema.safeParse(found)
    if (!data) {
      const [first] = error.issues
      return refuse(`layers${formatPath((first?.path ?? []).map(part))}: ${first?.message ?? ''}`)
    }
    checkLayerList(data, input.shape, input.classes)
    return data
  } catch (error) {
    if (error instanceof UserError) throw error
    return refuse(errorMessage(error))
  }
}

const part = (one: PropertyKey) => (typeof one === 'symbol' ? String(one) : one)

/** Returns the definition of a plug-in that this process has loaded for a config. */
async function definitionAgain<K extends PluginKind>(kind: K, { name, sha256 }: PluginRef) {
  const kept = await keptBundle('bundled', sha256)
  if (!kept) throw new Error(`the bundle of the plug-in ${name} is not in the cache`)
  return definitionOf(await importBundle(kept.file), kind, `the plug-in ${name}`)
}

async function refuseMissing(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return
  throw new UserError(
    `${path}: ${found ? 'this is no file' : 'there is no such file'}; expected a module whose default export is the result of ${Object.values(
      pluginKinds,
    )
      .map(({ define }) => define)
      .join(', ')}`,
  )
}
