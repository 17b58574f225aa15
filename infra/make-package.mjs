/**
 * Makes the npm package, which needs no checkout:
 *
 *     npm run package [-- DIRECTORY]      writes DIRECTORY/zeroshift-VERSION.tgz, here unless given
 *
 * The package contains the sources that digests of code are computed from, their build, the bundles
 * of workflows, the page of `zeroshift ui` and declarations of types. It is put together in
 * built/package, where the packages of the checkout are found.
 */
import { spawnSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { giveUp } from './set-up.mjs'
import { PACKED, ROOT } from './checkout.mjs'
import { copyParts } from './parts.mjs'
import { which } from './programs.mjs'
import { SetupError, step } from './steps.mjs'

const FILES = ['zeroshift', 'LICENSE', 'README.md', 'CHANGELOG.md']
const PACKAGE = join(ROOT, 'built', 'package')
const TFJS = '@tensorflow/tfjs-node-gpu'
/** The packages that the code of TFJS imports, beside those that Zeroshift depends on itself. */
const TFJS_IMPORTS = ['@tensorflow/tfjs-core', 'google-protobuf', 'progress']
const require = createRequire(import.meta.url)

/** @returns {Promise<Record<string, any>>} */
const json = async (path) => JSON.parse(await readFile(path, 'utf8'))
const writeJson = (path, value) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`)

async function make(directory) {
  const { version } = await json(join(ROOT, 'package.json'))
  await rm(PACKAGE, { recursive: true, force: true })
  try {
    await fill(version)
    await step('packing', () => pack(directory))
  } finally {
    await rm(PACKAGE, { recursive: true, force: true })
  }
  process.stdout.write(`${join(directory, `zeroshift-${version}.tgz`)}\n`)
}

async function fill(version) {
  await mkdir(PACKAGE, { recursive: true })
  await copyParts(PACKAGE, FILES)
  await writeJson(join(PACKAGE, 'package.json'), await description())
  await copyTensorFlow()
  await step('compiling the code and bundling the workflows (about 10 s)', async () => {
    node([
      ...['--input-type=module', '--eval'],
      "const { load } = await import('./infra/compiled.mjs'); const { prepareToShip } = await load('worker/prepare.ts'); await prepareToShip()",
    ])
  })
  await step('building the page (about 8 s)', async () => {
    node([
      ...['--input-type=module', '--eval'],
      "const { builtPage } = await import('./infra/page.mjs'); await builtPage()",
    ])
  })
  await step('writing the declarations of types (about 20 s)', writeTypes)
  await removeUsers()
  await writeJson(join(PACKAGE, PACKED), { version })
}

async function pack(directory) {
  const npm = which('npm')
  if (!npm) throw new SetupError('npm is not on PATH; install it with Node from https://nodejs.org.')
  await mkdir(directory, { recursive: true })
  run(npm, ['pack', '--ignore-scripts', '--silent', `--pack-destination=${directory}`])
}

/**
 * Returns the package.json of the package. `tsx` is used in checkouts alone. TFJS is a part of the
 * package, because its own installation would download another TensorFlow of 500 MB.
 */
async function description() {
  const {
    name,
    version,
    description,
    license,
    private: isPrivate,
    type,
    engines,
    bin,
    exports,
    dependencies,
  } = await json(join(ROOT, 'package.json'))
  const imported = await Promise.all(
    TFJS_IMPORTS.map(async (each) => [each, (await json(require.resolve(`${each}/package.json`))).version]),
  )
  const used = without(dependencies, ['tsx'])
  const library = { ...exports['.'], types: './built/types/api/types.d.ts' }
  return {
    ...{ name, version, description, license, private: isPrivate, type, engines, bin },
    exports: { ...exports, '.': library },
    dependencies: { ...used, ...Object.fromEntries(imported) },
    bundleDependencies: [TFJS],
  }
}

/**
 * Copies the code of TFJS without its installation. Its addon is where the set-up puts it, which
 * `useNative` in native.mjs names.
 */
async function copyTensorFlow() {
  const source = join(ROOT, 'node_modules', TFJS)
  const target = join(PACKAGE, 'node_modules', TFJS)
  const isUsed = (path) => !/_test\.|run_tests|\.map$/.test(path)
  for (const part of ['dist', 'binding', 'binding.gyp', 'README.md'])
    await cp(join(source, part), join(target, part), { recursive: true, filter: isUsed })
  const rest = without(await json(join(source, 'package.json')), [
    ...['scripts', 'dependencies', 'devDependencies'],
  ])
  await writeJson(join(target, 'package.json'), { ...rest, gypfile: false })
  const index = join(target, 'dist/index.js')
  await writeFile(
    index,
    replacedOnce(
      replacedOnce(await readFile(index, 'utf8'), "var binary = require('@mapbox/node-pre-gyp');\n", ''),
      "binary.find(path.resolve(path.join(__dirname, '/../package.json')))",
      'process.env.ZEROSHIFT_TENSORFLOW_ADDON',
    ),
  )
}

/** Returns the object without some of its keys. */
function without(object, keys) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}

function replacedOnce(text, from, to) {
  const parts = text.split(from)
  if (parts.length !== 2)
    throw new SetupError(`${TFJS} has ${JSON.stringify(from)} ${parts.length - 1} times; expected it once.`)
  return parts.join(to)
}

async function writeTypes() {
  const config = join(PACKAGE, 'tsconfig.json')
  const types = join(PACKAGE, 'built', 'types')
  await writeJson(config, {
    extends: '../../tsconfig.json',
    compilerOptions: {
      ...{ noEmit: false, declaration: true, emitDeclarationOnly: true },
      ...{ rootDir: '.', outDir: types },
    },
    files: ['api/types.ts'],
    include: [],
  })
  node([require.resolve('typescript/bin/tsc'), '--project', config])
  await rm(config)
}

/** Removes the notes of the processes of this script that used the builds. */
async function removeUsers() {
  for (const kind of ['compiled', 'page']) {
    const folder = join(PACKAGE, 'built', kind)
    const builds = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())
    for (const { name } of builds) await rm(join(folder, name, 'users'), { recursive: true, force: true })
  }
}

const node = (args) => run(process.execPath, args)

function run(program, args) {
  const { status, signal, error, stdout } = spawnSync(program, args, {
    cwd: PACKAGE,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0)
    throw new SetupError(
      `\`${program} ${args.join(' ')}\` in ${PACKAGE} ended with ${error ?? signal ?? status}.\n${stdout}`,
    )
}

const [directory = '.', ...more] = process.argv.slice(2)
if (directory.startsWith('-') || more.length > 0) {
  process.stderr.write('Usage: npm run package [-- DIRECTORY]\n')
  process.exit(2)
}
await make(resolve(directory)).catch(giveUp)
