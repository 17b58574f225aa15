import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { extname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BuildOptions, Loader, OutputFile, Plugin } from 'esbuild'
import { digestOf } from '../../common/canonical.ts'
import {
  isLocked,
  isMethodKind,
  isProgramKind,
  pluginCodeNames,
  type ChangedCode,
  type CodeName,
} from '../../experiment/stages/code.ts'
import { isNotUnlearned, methodSchemas, type BuiltInMethodName } from '../../experiment/spec/methods.ts'
import { stageKinds, type StageKind } from '../../experiment/stages/stage.ts'
import { storedDigests, storeDigests, type CodeDigest } from './stored-digests.ts'

/**
 * Digests of the code that computes stages. The code of a stage's body is esbuild's bundle of it:
 * every statement that the body reaches, without comments, types, formatting and file names. Names
 * of functions and variables are included, because esbuild's short names for them depend on more
 * than the code. The exact versions of the npm packages that the bundle imports are included, too.
 */

const methodNames = methodSchemas
  .map(({ shape }) => shape.method.value)
  .filter((name): name is BuiltInMethodName => !isNotUnlearned(name))

export const codeNames: readonly CodeName[] = [...stageKinds.flatMap(namesOfKind), ...pluginCodeNames]

function namesOfKind(kind: StageKind): readonly CodeName[] {
  return [
    ...(isMethodKind(kind)
      ? [...methodNames, 'plugin' as const].map((name) => `${kind}:${name}` as const)
      : [kind]),
    ...(isProgramKind(kind) ? [`${kind}:program` as const] : []),
  ]
}

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Returns the digests of bodies, for the present content of the files in the checkout at `root`.
 * They are computed if the files have changed since they were stored.
 */
export async function codeDigests(
  names: readonly CodeName[],
  root: string = checkout,
): Promise<ReadonlyMap<CodeName, CodeDigest>> {
  const stored = await storedDigests(names, root)
  if (stored) return stored
  const contents = new Map<string, string>()
  const versions = await packageVersions(root, contents)
  const bundles = await bundled([...new Set(names.flatMap(entriesOf))], root, contents)
  const digests = new Map(names.map((name) => [name, digestOfBody(entriesOf(name), bundles, versions)]))
  await storeDigests(digests, contents, root)
  return digests
}

/**
 * Returns the digests of those bodies whose code differs from the lock. Each body is bundled once
 * per process.
 */
export async function changedCode(names: readonly CodeName[]): Promise<ChangedCode> {
  const missing = names.filter((name) => !known.has(name))
  if (missing.length > 0) {
    const digests = codeDigests(missing)
    for (const name of missing)
      known.set(
        name,
        digests.then((found) => found.get(name)?.digest ?? ''),
      )
  }
  const digests = await Promise.all(names.map(async (name) => [name, (await known.get(name)) ?? ''] as const))
  return Object.fromEntries(digests.filter(([name, digest]) => !isLocked(name, digest)))
}

const known = new Map<CodeName, Promise<string>>()

/**
 * The modules with the code of a body, as paths in the checkout. A plug-in may use all that the
 * module `zeroshift` exports. Its own code is in the parameters of its stages.
 */
function entriesOf(name: CodeName): readonly string[] {
  const [kind = '', ...parts] = name.split(':')
  if (parts[0] === 'program') return [`activities/programs/${kind}.ts`]
  const others = parts.map((part) => (part === 'plugin' ? 'api/engine.ts' : `unlearning/methods/${part}.ts`))
  return [`activities/stages/${kind}.ts`, ...others]
}

/** The digest of one entry's code, and what it depends on outside of the bundle. */
interface Bundle {
  readonly sha256: string
  readonly packages: readonly string[]
  /** Other entries and data files that this one names by `new URL`, such as worker threads. */
  readonly referenced: readonly string[]
  readonly files: readonly string[]
}

function digestOfBody(
  entries: readonly string[],
  bundles: ReadonlyMap<string, Bundle>,
  versions: Readonly<Record<string, string>>,
): CodeDigest {
  const parts = entries.map((entry) => bundles.get(entry)).filter((bundle) => bundle !== undefined)
  const all = withReferenced(parts, bundles)
  const packages = [...new Set(all.flatMap((bundle) => bundle.packages))].map((name) => {
    const version = versions[name]
    if (version === undefined)
      throw new Error(
        `${entries.join(', ')} imports ${name}, which is not among the dependencies in package.json; add it there`,
      )
    return [name, version] as const
  })
  return {
    digest: digestOf({ code: all.map(({ sha256 }) => sha256), packages: Object.fromEntries(packages) }),
    files: [...new Set(all.flatMap(({ files }) => files))],
  }
}

function withReferenced(parts: readonly Bundle[], bundles: ReadonlyMap<string, Bundle>): readonly Bundle[] {
  const all = new Set(parts)
  // The iteration of a set includes the elements that are added during it.
  for (const { referenced } of all)
    for (const entry of referenced) {
      const bundle = bundles.get(entry)
      if (bundle) all.add(bundle)
    }
  return [...all]
}

const options = {
  bundle: true,
  write: false,
  metafile: true,
  outdir: 'out',
  outbase: '.',
  format: 'esm',
  platform: 'node',
  target: 'esnext',
  minifySyntax: true,
  minifyWhitespace: true,
  treeShaking: true,
  legalComments: 'none',
  logLevel: 'silent',
  packages: 'external',
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
} as const satisfies BuildOptions

/**
 * Code that only fetches bytes is not included: the digests of these bytes are in the stage's key.
 * The module for plug-ins is not included in other methods. Their imports are written as paths from
 * the root, so that a digest does not depend on the folder of the importing file.
 */
const fetchingCode = (root: string): Plugin => ({
  name: 'fetching-code',
  setup(build) {
    build.onResolve({ filter: /^\.\.\// }, ({ path, resolveDir }) => {
      const file = relative(root, join(resolveDir, path))
      return /^(sources|infra|host|api)\//.test(file) ? { path: `/${file}`, external: true } : undefined
    })
  },
})

/** Records the digest of what esbuild is given, so that no edit in between is missed. */
const recordedContents = (contents: Contents): Plugin => ({
  name: 'recorded-contents',
  setup(build) {
    build.onLoad({ filter: /\.(?:ts|mjs|json)$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      contents.set(path, sha256(text))
      return { contents: text, loader: loaders[extname(path)] ?? 'default' }
    })
  },
})

const loaders: Readonly<Record<string, Loader>> = { '.ts': 'ts', '.mjs': 'js', '.json': 'json' }

/** The SHA-256 of each file that was read, by its absolute path. */
type Contents = Map<string, string>

async function bundled(
  entries: readonly string[],
  root: string,
  contents: Contents,
): Promise<ReadonlyMap<string, Bundle>> {
  const { outputFiles, metafile } = await built(entries, root, contents)
  const texts = new Map(outputFiles.map((file: OutputFile) => [relative(root, file.path), file.text]))
  const bundles = await Promise.all(
    Object.entries(metafile.outputs).map(async ([path, { entryPoint = '', inputs, imports }]) => {
      const text = texts.get(path) ?? ''
      const files = Object.keys(inputs)
      const bundle: Bundle = {
        sha256: sha256(text),
        packages: imports.flatMap(({ path }) => packageOf(path) ?? []),
        referenced: text.includes('new URL(') ? await referencedBy(files, root) : [],
        files: files.map((file) => join(root, file)),
      }
      return [entryPoint, bundle] as const
    }),
  )
  const found = new Map(bundles)
  const more = new Set(bundles.flatMap(([, { referenced }]) => referenced).filter((file) => !found.has(file)))
  if (more.size === 0) return found
  const scripts = [...more].filter((file) => SCRIPT.test(file))
  const data = await Promise.all(
    [...more]
      .filter((file) => !SCRIPT.test(file))
      .map(async (file) => [file, await dataFile(file, root, contents)] as const),
  )
  return new Map([...found, ...data, ...(scripts.length > 0 ? await bundled(scripts, root, contents) : [])])
}

let builds = 0

/** Bundles entries with esbuild, and ends its process, which takes 60 MB, after the last bundle. */
async function built(entries: readonly string[], root: string, contents: Contents) {
  const { build, stop } = await import('esbuild')
  builds++
  try {
    return await build({
      ...options,
      entryPoints: [...entries],
      absWorkingDir: root,
      plugins: [fetchingCode(root), recordedContents(contents)],
    })
  } finally {
    if (--builds === 0) await stop()
  }
}

const SCRIPT = /\.[cm]?[jt]s$/

/**
 * Returns the files that modules name by `new URL('…', import.meta.url)`: worker threads and data.
 */
async function referencedBy(files: readonly string[], root: string): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map(async (file) => {
      const path = join(root, file)
      const text = await readFile(path, 'utf8')
      return [...text.matchAll(/new URL\(\s*(['"])(.+?)\1,\s*import\.meta\.url\s*\)/g)].map(
        ([, , name = '']) => fileURLToPath(new URL(name, pathToFileURL(path))),
      )
    }),
  )
  // Directories contain data sets, whose digests are in the stage's key.
  const regular = await Promise.all(
    found.flat().map(async (path) => ((await stat(path)).isFile() ? [relative(root, path)] : [])),
  )
  return regular.flat()
}

async function dataFile(file: string, root: string, contents: Contents): Promise<Bundle> {
  const path = join(root, file)
  const digest = sha256(await readFile(path))
  contents.set(path, digest)
  return { sha256: digest, packages: [], referenced: [], files: [path] }
}

/**
 * Returns the name of the npm package that an import comes from. Returns undefined for modules of
 * Node and of this project.
 */
function packageOf(path: string): string | undefined {
  if (path.startsWith('node:') || path.startsWith('/') || builtinModules.includes(path)) return undefined
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/')
}

async function packageVersions(root: string, contents: Contents): Promise<Readonly<Record<string, string>>> {
  const path = join(root, 'package.json')
  const text = await readFile(path, 'utf8')
  contents.set(path, sha256(text))
  const { dependencies } = JSON.parse(text) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  return dependencies
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
