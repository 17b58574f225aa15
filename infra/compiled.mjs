import { createHash, randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, extname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isSameProcess, startOf } from '../host/alive.mjs'
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

/** A build that no living process uses is removed after this time. */
const KEEP_MS = 86_400_000
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
  const folder = folderOf(root)
  const build = presentBuild(root, folder) ?? (await newBuild(root, folder))
  if (build === undefined) return undefined
  if (!isInstalled(root)) noteUser(build)
  return pathToFileURL(join(build, entry.replace(/\.ts$/, '.js'))).href
}

const folderOf = (root) => join(root, 'built', 'compiled')

/** Returns the folder of the build of the present sources, or undefined if there is none. */
function presentBuild(root, folder) {
  const paths = read(join(folder, 'sources.json'))
  if (paths === undefined) return undefined
  const sources = JSON.parse(paths).map((path) => [path, read(join(root, path))])
  // A source that was removed has no digest. Those that imported it have changed, too.
  if (sources.some(([, content]) => content === undefined)) return undefined
  const build = join(folder, digestOf(new Map(sources)))
  return existsSync(build) ? build : undefined
}

/** Compiles the sources. Returns the folder of the build, or undefined if it cannot be written. */
async function newBuild(root, folder) {
  const partial = join(folder, `partial-${randomUUID()}`)
  try {
    mkdirSync(partial, { recursive: true })
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(error.code)) return undefined
    throw error
  }
  try {
    const sources = await compile(root, partial)
    const build = join(folder, digestOf(sources))
    try {
      renameSync(partial, build)
    } catch (error) {
      // Another process has made the same build.
      if (!existsSync(build)) throw error
    }
    const list = join(folder, `sources.json.${process.pid}`)
    writeFileSync(list, JSON.stringify([...sources.keys()].sort()))
    renameSync(list, join(folder, 'sources.json'))
    removeUnused(folder, build)
    return build
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
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

/** Returns the digest of sources, which does not depend on their order. */
function digestOf(sources) {
  const hash = createHash('sha256')
  for (const [path, content] of [...sources].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  return hash.digest('hex')
}

function sha256(content) {
  return createHash('sha256').update(content).digest('hex')
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Notes in a build that this process uses it: the parts of a command are loaded when they are
 * needed, so that the build must stay until the process has ended.
 */
function noteUser(build) {
  const note = join(build, 'users', String(process.pid))
  try {
    mkdirSync(join(build, 'users'), { recursive: true })
    writeFileSync(note, startOf(process.pid) ?? '')
    process.once('exit', () => {
      rmSync(note, { force: true })
    })
  } catch {
    // In a directory that is read-only no build is ever removed.
  }
}

function removeUnused(folder, current) {
  for (const name of readdirSync(folder)) {
    const build = join(folder, name)
    if (build === current || !/^[0-9a-f]{64}$/.test(name)) continue
    if (Date.now() - statSync(build).mtimeMs > KEEP_MS && !isUsed(build))
      rmSync(build, { recursive: true, force: true })
  }
}

function isUsed(build) {
  const users = join(build, 'users')
  if (!existsSync(users)) return false
  return readdirSync(users).some((pid) => isSameProcess(Number(pid), read(join(users, pid)) || null))
}
