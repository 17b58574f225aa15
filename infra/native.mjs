import { existsSync, readFileSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cacheDirectory } from '../host/cache.mjs'
import { checkoutLock, isInstalled, ROOT } from './checkout.mjs'
import { installOnce, makeDirectory } from './install.mjs'
import { exclusively } from '../host/lock.mjs'
import { findCompiler, findPython } from './programs.mjs'
import { command, SetupError, step } from './steps.mjs'
import { cachedLibrary, findLibrary, TENSORFLOW_VERSION } from './tensorflow.mjs'

const require = createRequire(import.meta.url)
const TFJS = join(ROOT, 'node_modules/@tensorflow/tfjs-node-gpu')
const ADDON = 'tfjs_binding.node'

/**
 * Returns the folder that gets the addon and the link to TensorFlow's library. An installed package
 * has it in the cache, since node_modules may be read-only.
 */
const home = () => (isInstalled() ? `${checkoutLock()}-native` : TFJS)
const linkedAddon = () => join(home(), 'lib/napi-v8', ADDON)
const stamp = () => join(home(), '.zeroshift.json')

/** The version of the changes that the set-up makes to the source of the addon. */
const ADDON_REVISION = 1

/**
 * Makes `@tensorflow/tfjs-node-gpu` loadable: links `deps` to TensorFlow's library and builds the
 * addon. A library with CUDA also works without a GPU. It stays if a library without CUDA is
 * requested.
 * @param {{ gpu?: boolean }} [options]
 * @returns {Promise<void>}
 */
export async function ensureNative({ gpu = false } = {}) {
  if (isNativeReady({ gpu })) return
  if (!existsSync(join(TFJS, 'package.json'))) {
    throw new SetupError(
      `${TFJS} is not there: ${isInstalled() ? 'install zeroshift again' : `run \`npm ci\` in ${ROOT} first`}.`,
    )
  }
  const lock = checkoutLock()
  await makeDirectory(dirname(lock))
  await exclusively(`${lock}-native`, async () => {
    if (isNativeReady({ gpu })) return
    const library = await findLibrary(gpu, TFJS)
    await link(library, await buildAddon(library))
    await writeFile(stamp(), JSON.stringify({ ...wanted(), gpu }))
  })
}

/**
 * @param {{ gpu?: boolean }} [options]
 * @returns {boolean} whether `ensureNative` has nothing to do; takes about a millisecond
 */
export function isNativeReady({ gpu = false } = {}) {
  try {
    const { gpu: hasGpu, ...made } = JSON.parse(readFileSync(stamp(), 'utf8'))
    if (JSON.stringify(made) !== JSON.stringify(wanted()) || (gpu && !hasGpu)) return false
  } catch {
    return false
  }
  return existsSync(join(home(), 'deps/include')) && existsSync(linkedAddon())
}

/**
 * Tells the `@tensorflow/tfjs-node-gpu` of an installed package where the addon is. Child processes
 * inherit it.
 * @returns {void}
 */
export function useNative() {
  if (isInstalled()) process.env.ZEROSHIFT_TENSORFLOW_ADDON = linkedAddon()
}

/**
 * @param {{ gpu?: boolean }} [options]
 * @returns {boolean} whether `ensureNative` needs neither a network nor a compiler
 */
export function isNativeCached({ gpu = false } = {}) {
  const library = cachedLibrary(gpu)
  return library !== undefined && existsSync(join(cacheDirectory(), addonName(library), ADDON))
}

function wanted() {
  const { platform, arch } = process
  return {
    version: TENSORFLOW_VERSION,
    addon: ADDON_REVISION,
    named: process.env.ZEROSHIFT_TENSORFLOW_DIR ?? null,
    platform,
    arch,
  }
}

function addonName(library) {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const tfjs = dependencies['@tensorflow/tfjs-node-gpu']
  return join(
    'addons',
    `tfjs-${tfjs}.${ADDON_REVISION}_tensorflow-${library.name}_${process.platform}-${process.arch}_${libc()}`,
  )
}

function libc() {
  if (process.platform !== 'linux') return 'system'
  process.report.excludeNetwork = true
  const { glibcVersionRuntime } = process.report.getReport().header
  return glibcVersionRuntime ? `glibc-${glibcVersionRuntime}` : 'musl'
}

/**
 * Builds the addon for this library in the cache. node_modules gets a copy, since `npm ci` empties
 * it.
 */
async function buildAddon(library) {
  const directory = await installOnce(addonName(library), async (target) => {
    const compiler = findCompiler()
    const python = findPython()
    const work = await mkdtemp(join(target, 'build-'))
    for (const entry of ['package.json', 'binding.gyp', 'binding']) {
      await cp(join(TFJS, entry), join(work, entry), { recursive: true })
    }
    await keepGraphsAsTheyAre(join(work, 'binding/tfjs_backend.cc'))
    await symlink(library.directory, join(work, 'deps'))
    const built = join(work, 'lib/napi-v8', ADDON)
    await step('building the TensorFlow addon (about 15 s)', async () => {
      await command(process.execPath, gypArguments(python, built), {
        cwd: work,
        log: 'tensorflow-addon',
        env: { ...compiler, ...linkerFlags() },
        remedy:
          "Does it stop at a missing header of Node? Then install Node's headers (Debian, Ubuntu: libnode-dev), or " +
          'allow https://nodejs.org, or set NODEJS_ORG_MIRROR to a mirror of it.',
      })
      // The addon is loaded once where it was built: it finds `deps` relative to its own path.
      await command(process.execPath, ['-e', 'process.dlopen(module, process.argv[1])', built], {
        log: 'tensorflow-addon-load',
        remedy:
          `The addon was built, and does not load with TensorFlow ${library.name} from ${library.directory}.\n` +
          'SIGILL means a processor without AVX; "GLIBC_... not found" a Linux older than the wheel wants (glibc 2.27), ' +
          'or one without glibc (Alpine). Then use another machine or container image, or build TensorFlow there and ' +
          'name it in ZEROSHIFT_TENSORFLOW_DIR.',
      })
    })
    await rename(built, join(target, ADDON))
    await rm(work, { recursive: true })
  })
  return join(directory, ADDON)
}

/**
 * TensorFlow rewrites a graph before it runs it, which can change the last bits of results. The
 * addon loads graphs with the following options, so that they compute the same bytes as their
 * operations one by one: `ConfigProto { graph_options { rewrite_options { disable_meta_optimizer:
 * true } } }`.
 */
async function keepGraphsAsTheyAre(file) {
  const created = 'TF_SessionOptions *session_options = TF_NewSessionOptions();'
  const source = await readFile(file, 'utf8')
  if (source.split(created).length !== 2)
    throw new SetupError(
      `${file} creates no session options where the set-up changes them; expected "${created}" once.`,
    )
  const config =
    `${created}\n` +
    '  const unsigned char config[] = {0x52, 0x05, 0x52, 0x03, 0x98, 0x01, 0x01};\n' +
    '  TF_AutoStatus config_status;\n' +
    '  TF_SetConfig(session_options, config, sizeof(config), config_status.status);'
  await writeFile(file, source.replace(created, config))
}

function gypArguments(python, built) {
  const prefix = dirname(dirname(process.execPath))
  const hasHeaders = existsSync(join(prefix, 'include/node/node_api.h'))
  return [
    require.resolve('node-gyp/bin/node-gyp.js'),
    'rebuild',
    `--python=${python}`,
    ...(hasHeaders ? [`--nodedir=${prefix}`] : []),
    `--module=${built}`,
    '--module_name=tfjs_binding',
    `--module_path=${dirname(built)}`,
    `--napi_version=${process.versions.napi}`,
    '--napi_build_version=8',
    '--node_napi_label=napi-v8',
  ]
}

/**
 * Sets the rpath on macOS, where the library is loaded by a name relative to it. The build file of
 * the package sets none.
 */
function linkerFlags() {
  return process.platform === 'darwin' ? { LDFLAGS: '-Wl,-rpath,@loader_path/../../deps/lib' } : {}
}

async function link(library, addon) {
  const linked = linkedAddon()
  await mkdir(dirname(linked), { recursive: true })
  await copyFile(addon, `${linked}.new`)
  await rename(`${linked}.new`, linked)

  const deps = join(home(), 'deps')
  await rm(deps, { recursive: true, force: true })
  await symlink(library.directory, deps)
}
