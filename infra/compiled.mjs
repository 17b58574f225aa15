import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { cachedBuild } from './cached-build.mjs'
import { isInstalled, ROOT } from './checkout.mjs'

/**
 * The command line and the worker, compiled from TypeScript into JavaScript, which loads several
 * times as fast as the sources. The compiled files are below `built/compiled` in a folder that is
 * named by the digest of all sources that they were compiled from, so that an edited source is
 * always compiled again. Packages of npm are not included; Node loads them as usual. A build works
 * in every directory, so that the npm package contains one.
 */

/**
 * The sources that processes start with, that the set-up calls, and that programs of users import.
 * Everything that they import is compiled with them.
 * @typedef {typeof ENTRIES[number]} Entry
 */
const ENTRIES = [
  'cli/main.ts',
  'worker/main.ts',
  'worker/prepare.ts',
  'api/index.ts',
  'learning/tensorflow/tf.ts',
]

/** The exact version of esbuild is in package.json. */
const VERSIONS = 'package.json'

/**
 * Loads an entry into this process: its build, or its sources if a build cannot be written.
 * @param {Entry} entry
 * @returns {Promise<Record<string, unknown>>} the module
 */
export async function load(entry) {
  const compiled = await compiledEntry(entry)
  if (compiled === undefined && isInstalled())
    throw new Error(
      `${ROOT} contains no build of its sources; expected the files of the package as they were installed. Install zeroshift again.`,
    )
  if (compiled === undefined) await import('tsx')
  return await import(compiled ?? pathToFileURL(join(ROOT, entry)).href)
}

/**
 * Returns the URL of a compiled entry, and compiles all entries if there is no build of the present
 * sources. Returns undefined if a build cannot be written, such as in a directory that is
 * read-only.
 * @param {Entry} entry
 * @param {string} [root] the checkout
 * @returns {Promise<string | undefined>}
 */
export async function compiledEntry(entry, root = ROOT) {
  const folder = join(root, 'built', 'compiled')
  const build = await cachedBuild({ root, folder, make: (outdir) => compile(root, outdir) })
  if (build === undefined) return undefined
  return pathToFileURL(join(build, entry.replace(/\.ts$/, '.js'))).href
}

/** Compiles the entries into a folder. Returns the sources with their contents. */
async function compile(root, outdir) {
  const { build, stop } = await import('esbuild')
  const sources = new Map([[VERSIONS, readFileSync(join(root, VERSIONS), 'utf8')]])
  try {
    const { outputFiles } = await build({
      entryPoints: ENTRIES.map((entry) => join(root, entry)),
      write: false,
      outdir,
      outbase: root,
      bundle: true,
      splitting: true,
      sourcemap: true,
      sourcesContent: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'silent',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      plugins: [recordedSources(root, sources)],
    })
    const digests = JSON.stringify(
      Object.fromEntries([...sources].map(([path, content]) => [path, sha256(content)])),
    )
    for (const { path, text } of outputFiles) {
      mkdirSync(dirname(path), { recursive: true })
      const isCode = path.endsWith('.js')
      const rootUrl = rootFrom(path, outdir)
      writeFileSync(path, isCode ? text.replaceAll(DIGESTS, digests).replaceAll(ROOT_URL, rootUrl) : text)
    }
  } finally {
    await stop()
  }
  return sources
}

/** The identifier in sources that stands for the SHA-256 of each compiled source by its path. */
const DIGESTS = 'COMPILED_SOURCES'

/** The identifier that stands for the URL of the folder of package.json. */
const ROOT_URL = 'COMPILED_ROOT_URL'

/** Returns the expression of that URL in a compiled file. */
function rootFrom(file, build) {
  // Builds are in built/compiled/DIGEST.
  const up = '../'.repeat(relative(build, file).split(sep).length + 2)
  return `new URL("${up}", import.meta.url)`
}

/**
 * Reads the sources for esbuild and records what it read. `import.meta.url` remains the URL of the
 * source, since modules find files of the checkout by it.
 */
const recordedSources = (root, sources) => ({
  name: 'recorded-sources',
  setup(build) {
    build.onLoad({ filter: /\.(ts|mjs|json)$/ }, ({ path }) => {
      const content = readFileSync(path, 'utf8')
      sources.set(relative(root, path), content)
      const url = `new URL(${JSON.stringify(relative(root, path).split(sep).join('/'))}, ${ROOT_URL}).href`
      const loader = { '.ts': 'ts', '.mjs': 'js', '.json': 'json' }[extname(path)]
      return { contents: withMethods(root, path, content).replaceAll('import.meta.url', url), loader }
    })
  },
})

/**
 * Returns a source in which esbuild sees the import of methods. The source hides it from esbuild,
 * because the digest of a stage's code must include one method alone.
 */
function withMethods(root, path, content) {
  if (relative(root, path) !== join('unlearning', 'method.ts')) return content
  const parts = content.split('import(file)')
  if (parts.length !== 2)
    throw new Error(
      `${path} has \`import(file)\` ${parts.length - 1} times; expected it once, as the import of a method. Change infra/compiled.mjs with it.`,
    )
  return parts.join('import(`./methods/${name}.ts`)')
}

function sha256(content) {
  return createHash('sha256').update(content).digest('hex')
}
