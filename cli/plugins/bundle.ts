import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildFailure, Loader, Message, Plugin } from 'esbuild'
import { apiNames } from '../../api/names.ts'
import { REGISTRY } from '../../api/registry.ts'
import { UserError } from '../../common/errors.ts'

/** A module to bundle: a file, or a package as modules in a folder would import it. */
export type ModuleSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'package'; readonly name: string; readonly folder: string }

/**
 * Bundles a plug-in with the packages that it imports into one ECMAScript module. The same sources
 * give the same bytes in any folder, and under any name of the file that the config names.
 * Comments, types and white space do not change them. Neither Zeroshift nor TensorFlow nor zod is
 * included: the bundle takes them from the process that executes it. Throws a UserError if the
 * sources cannot be bundled.
 */
export async function bundlePlugin(source: ModuleSource): Promise<Uint8Array> {
  const folder = source.kind === 'file' ? dirname(source.path) : source.folder
  const entry = source.kind === 'file' ? ENTRY : source.name
  const { build, stop } = await import('esbuild')
  builds++
  try {
    const { outputFiles, metafile } = await build({
      stdin: { contents: `export { default } from ${JSON.stringify(entry)}`, resolveDir: folder },
      absWorkingDir: folder,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      charset: 'utf8',
      treeShaking: true,
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      logLevel: 'silent',
      // No tsconfig.json of a surrounding folder changes the bytes.
      tsconfigRaw: {},
      banner: { js: REQUIRE },
      plugins: [importedFromProcess, ...(source.kind === 'file' ? [readAsEntry(source.path)] : [])],
    })
    refuseOwnSources(Object.keys(metafile.inputs).map((path) => resolve(folder, path)))
    const [output] = outputFiles
    if (!output) throw new Error('esbuild wrote no bundle')
    return output.contents
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    throw new UserError(
      error.errors.slice(0, MOST_MESSAGES).map((one) => ({ message: described(one, source) })),
    )
  } finally {
    if (--builds === 0) await stop()
  }
}

let builds = 0
const MOST_MESSAGES = 3

/** The name of the file that a config names, in place of its own. */
const ENTRY = 'zeroshift-plug-in'

/**
 * Reads the file that the config names under a fixed name, since esbuild derives the names of
 * variables from those of files.
 */
const readAsEntry = (path: string): Plugin => ({
  name: 'read-as-entry',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^${ENTRY}$`) }, () => ({ path: ENTRY, namespace: 'entry' }))
    build.onLoad({ filter: /.*/, namespace: 'entry' }, async () => ({
      contents: await readFile(path, 'utf8'),
      loader: loaders[extname(path)] ?? 'js',
      resolveDir: dirname(path),
    }))
  },
})

const loaders: Readonly<Record<string, Loader>> = { '.ts': 'ts', '.mts': 'ts', '.cts': 'ts' }

// The build of commands replaces the whole text, also within a string.
const URL_OF_MODULE = ['import.meta', 'url'].join('.')
/** Packages in CommonJS format may load modules of Node by `require`. */
const REQUIRE = `import{createRequire as __createRequire}from'node:module';const require=__createRequire(${URL_OF_MODULE});`

/**
 * Replaces the imports that must not be bundled. Each name is looked up on its own and marked as
 * free of side effects, so that names which the plug-in does not use leave no trace in its bundle.
 */
const importedFromProcess: Plugin = {
  name: 'imported-from-process',
  setup(build) {
    const namespace = 'zeroshift'
    build.onResolve(
      { filter: /^(zeroshift|zod|zod\/v4)$|^@tensorflow\/tfjs(-core|-node|-node-gpu)?$/ },
      ({ path }) => ({
        path,
        namespace,
        sideEffects: false,
      }),
    )
    build.onResolve({ filter: /^zeroshift\// }, ({ path }) => ({
      errors: [{ text: `there is no module "${path}"; import from "zeroshift"` }],
    }))
    build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: contentsOf(path), loader: 'js' }))
  },
}

function contentsOf(path: string): string {
  const registry = `globalThis[Symbol.for(${JSON.stringify(REGISTRY)})]`
  if (path.startsWith('zod'))
    return `const z=${registry}.get("z");module.exports={...z,z,default:z,__esModule:true}`
  if (path.startsWith('@')) return `module.exports=${registry}.get("tf")`
  const names = apiNames.map((name) => `export const ${name}=/* @__PURE__ */get(${JSON.stringify(name)});`)
  return [`const get=/* @__PURE__ */(()=>${registry}.get)();`, ...names].join('\n')
}

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const OWN =
  /^(activities|api|artifacts|cli|common|datasets|experiment|host|learning|pretrained|report|signatures|sources|tracking|unlearning|worker|workflows)\//

/** Refuses a second instance of a module of Zeroshift, which would not share its state. */
function refuseOwnSources(inputs: readonly string[]): void {
  const own = inputs.map((path) => relative(checkout, path)).find((path) => OWN.test(path))
  if (own !== undefined)
    throw new UserError(
      `it imports ${own} of Zeroshift, which must not be bundled; import what you need from 'zeroshift'`,
    )
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

function described({ text, location }: Message, source: ModuleSource): string {
  const named = (file: string) =>
    source.kind === 'file' ? file.replaceAll(`entry:${ENTRY}`, basename(source.path)) : file
  return location && location.file !== '<stdin>'
    ? `${named(location.file)}:${location.line}:${location.column + 1}: ${named(text)}`
    : named(text)
}
