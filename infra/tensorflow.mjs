import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { basename, delimiter, join, relative, resolve } from 'node:path'
import { cacheDirectory } from '../host/cache.mjs'
import { installOnce } from './install.mjs'
import { findPip, NETWORK_REMEDY } from './pip.mjs'
import { command, SetupError, step } from './steps.mjs'
import { fileURLToPath } from 'node:url'

/** The version of the wheels. The C interface that the addon uses has not changed since 2.9. */
export const TENSORFLOW_VERSION = '2.21.0'

/**
 * The CUDA libraries of `tensorflow[and-cuda]`, in the versions to which its ranges resolved when
 * they were tried. They are pinned because cuDNN and cuBLAS select kernels, on which the bytes of
 * results depend.
 */
const CUDA = [
  'nvidia-cublas-cu12==12.9.3.13',
  'nvidia-cuda-cupti-cu12==12.9.79',
  'nvidia-cuda-nvcc-cu12==12.9.86',
  'nvidia-cuda-nvrtc-cu12==12.9.86',
  'nvidia-cuda-runtime-cu12==12.9.79',
  'nvidia-cudnn-cu12==9.28.0.42',
  'nvidia-cufft-cu12==11.4.1.4',
  'nvidia-curand-cu12==10.3.10.19',
  'nvidia-cusolver-cu12==11.7.5.82',
  'nvidia-cusparse-cu12==12.5.10.65',
  'nvidia-nccl-cu12==2.32.3',
  'nvidia-nvjitlink-cu12==12.9.86',
]

const STRAYS = [{ folder: 'cusolver', library: 'libcusolver.so.11', known: 'cusparse' }]

/** The version that the package's own script downloads (LIBTENSORFLOW_VERSION in its scripts). */
const OWN_VERSION = '2.9.1'

/**
 * The libraries by the names that the addon's linker looks for, and the files that may contain
 * them.
 */
const LIBRARIES =
  process.platform === 'darwin'
    ? {
        'libtensorflow.2.dylib': ['libtensorflow_cc.2.dylib'],
        'libtensorflow_framework.2.dylib': [],
      }
    : {
        'libtensorflow.so': ['libtensorflow.so.2', 'libtensorflow_cc.so.2', 'libtensorflow_cc.so'],
        'libtensorflow_framework.so': ['libtensorflow_framework.so.2'],
      }

/**
 * @typedef {object} Library
 * @property {string} name unique to its version and flavour
 * @property {string} directory contains lib/ and include/
 */

/**
 * Returns the cached library, if there is one.
 * @param {boolean} gpu
 * @returns {Library | undefined}
 */
export function cachedLibrary(gpu) {
  if (process.env.ZEROSHIFT_TENSORFLOW_DIR) return
  return [wheelName(gpu), ownName(gpu)]
    .map((name) => ({ name, directory: join(cacheDirectory(), 'tensorflow', name) }))
    .find(({ directory }) => existsSync(directory))
}

/**
 * Provides TensorFlow's C library and headers. They come from the directory that the user names,
 * the cache, the Python wheel, or the download that tfjs-node does itself.
 * @param {boolean} gpu with CUDA
 * @param {string} tfjs the folder of @tensorflow/tfjs-node-gpu
 * @returns {Promise<Library>}
 */
export async function findLibrary(gpu, tfjs) {
  const named = process.env.ZEROSHIFT_TENSORFLOW_DIR
  if (named) return namedLibrary(resolve(named))
  const cached = cachedLibrary(gpu)
  if (cached) return cached

  const reasons = []
  for (const source of [() => fromWheel(gpu), () => fromOwnDownload(gpu, tfjs)]) {
    try {
      return await source()
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      reasons.push(error.message)
    }
  }
  throw new SetupError(
    [
      `TensorFlow's library was not found. Looked for the directory ZEROSHIFT_TENSORFLOW_DIR (not set), then in ` +
        `${join(cacheDirectory(), 'tensorflow')}, then tried to download it:`,
      ...reasons.map((reason, i) => `${i + 1}. ${reason}`),
      'Fix one of these, or set ZEROSHIFT_TENSORFLOW_DIR to a directory with lib/libtensorflow.so.2 and ' +
        'include/tensorflow/c/c_api.h (https://www.tensorflow.org/install/lang_c has such archives).',
    ].join('\n'),
  )
}

const wheelName = (gpu) => `${TENSORFLOW_VERSION}-${gpu ? 'gpu' : 'cpu'}`
const ownName = (gpu) => `${OWN_VERSION}-${gpu ? 'gpu' : 'cpu'}`

async function namedLibrary(named) {
  const lib = join(named, 'lib')
  const files = existsSync(lib) ? await readdir(lib) : []
  const links = missingLinks(files)
  const header = join(named, 'include/tensorflow/c/c_api.h')
  if (!links || !existsSync(header)) {
    throw new SetupError(
      `ZEROSHIFT_TENSORFLOW_DIR is ${named}, and no TensorFlow for this machine is there: expected ` +
        `${Object.keys(LIBRARIES).join(' and ')} in ${lib} (found ${files.join(', ') || 'nothing'}), and ` +
        `${header} (${existsSync(header) ? 'found' : 'not found'}).\n` +
        'Unset it to let the set-up download TensorFlow, or name a directory that holds lib/ and include/.',
    )
  }
  const name = `named-${createHash('sha256')
    .update(`${named}\n${files.join('\n')}`)
    .digest('hex')
    .slice(0, 16)}`
  if (!links.length) return { name, directory: named }

  // The user's directory is not changed: the missing names are added to a copy that consists of
  // links.
  const directory = await installOnce(join('tensorflow', name), async (view) => {
    for (const entry of await readdir(named)) {
      if (entry !== 'lib') await symlink(join(named, entry), join(view, entry))
    }
    await mkdir(join(view, 'lib'))
    for (const file of files) await symlink(join(lib, file), join(view, 'lib', file))
    await addLinks(view, links)
  })
  return { name, directory }
}

/**
 * Returns the links that give the libraries the names that the linker looks for, or undefined if a
 * library is missing.
 */
function missingLinks(files) {
  const links = []
  for (const [name, holders] of Object.entries(LIBRARIES)) {
    if (files.includes(name)) continue
    const holder = holders.find((file) => files.includes(file))
    if (!holder) return
    links.push({ name, holder })
  }
  return links
}

async function addLinks(directory, links) {
  for (const { name, holder } of links) await symlink(holder, join(directory, 'lib', name))
}

/**
 * Returns the wheel's name on the package index and its platform tag, or undefined if TensorFlow
 * publishes none for this platform.
 */
function wheelFor(gpu) {
  switch (`${process.platform}-${process.arch}`) {
    case 'linux-x64':
      return {
        project: gpu ? 'tensorflow' : 'tensorflow-cpu',
        platform: 'manylinux_2_27_x86_64',
        megabytes: gpu ? 570 : 270,
        cuda: true,
      }
    case 'linux-arm64':
      return { project: 'tensorflow', platform: 'manylinux_2_27_aarch64', megabytes: 280 }
    case 'darwin-arm64':
      return { project: 'tensorflow', platform: 'macosx_12_0_arm64', megabytes: 250 }
  }
}

async function fromWheel(gpu) {
  const wheel = wheelFor(gpu)
  if (!wheel) {
    throw new SetupError(
      `TensorFlow ${TENSORFLOW_VERSION} has no wheel for ${process.platform}-${process.arch}.`,
    )
  }
  const pip = findPip()
  const name = wheelName(gpu)
  const directory = await installOnce(join('tensorflow', name), async (target) => {
    const downloads = join(target, 'downloads')
    const requirement = `${wheel.project}==${TENSORFLOW_VERSION}`
    await step(`downloading TensorFlow ${TENSORFLOW_VERSION} (${wheel.megabytes} MB)`, () =>
      runPip(pip, 'tensorflow-download', [
        'download',
        '--no-deps',
        '--only-binary=:all:',
        // The wheels of all versions of Python have the same C library, so that the version of this
        // machine does not matter.
        '--python-version=3.12',
        '--implementation=cp',
        `--platform=${wheel.platform}`,
        `--dest=${downloads}`,
        requirement,
      ]),
    )
    await step('unpacking TensorFlow (about 10 s)', async () => {
      const [file] = await readdir(downloads)
      const script = fileURLToPath(new URL('unpack_wheel.py', import.meta.url))
      await command(pip[0], [script, join(downloads, file), target], { log: 'tensorflow-unpack' })
      await rm(downloads, { recursive: true })
      await addLinks(target, missingLinks(await readdir(join(target, 'lib'))))
    })
    if (gpu && wheel.cuda) await addCuda(pip, target)
  })
  return { name, directory }
}

/**
 * Installs the CUDA libraries of the wheel where its library looks for them: nvidia/ beside lib/.
 */
async function addCuda(pip, target) {
  await step('downloading the CUDA libraries (3 GB)', () =>
    runPip(pip, 'cuda-download', [
      'install',
      '--no-deps',
      '--no-compile',
      '--only-binary=:all:',
      `--target=${target}`,
      ...CUDA,
    ]),
  )
  await linkStrays(target)
}

/**
 * Links libraries that TensorFlow opens by name into a folder in which it looks for them.
 * libtensorflow_framework opens libcusolver, but only libtensorflow_cc knows its folder. The link
 * stands beside the other libraries, so that the library's own relative paths stay right.
 * @param {string} target contains nvidia/
 */
export async function linkStrays(target) {
  for (const { folder, library, known } of STRAYS) {
    const from = join(target, 'nvidia', known, 'lib')
    const to = join(target, 'nvidia', folder, 'lib', library)
    if (!existsSync(to)) throw new SetupError(`the CUDA libraries lack ${library}: ${to} is not there`)
    await symlink(relative(from, to), join(from, library))
  }
}

function runPip([python, ...pip], log, [verb, ...args]) {
  return command(python, [...pip, verb, '--no-input', '--no-cache-dir', '--retries=2', ...args], {
    log,
    remedy: NETWORK_REMEDY,
  })
}

/**
 * Runs the script of tfjs-node on a copy of its folder, because it rewrites its package.json and
 * may stop half-way.
 */
async function fromOwnDownload(gpu, tfjs) {
  if (!existsSync(join(tfjs, 'scripts')))
    throw new SetupError(`${basename(tfjs)} has no script that downloads TensorFlow in an installed package.`)
  const name = ownName(gpu)
  const directory = await installOnce(join('tensorflow', name), (target) =>
    step(`downloading TensorFlow ${OWN_VERSION} as ${basename(tfjs)} does (up to 5 minutes)`, async () => {
      const copy = await mkdtemp(join(target, 'copy-'))
      for (const entry of ['package.json', 'scripts'])
        await cp(join(tfjs, entry), join(copy, entry), { recursive: true })
      const modules = join(tfjs, '../..')
      const failure = await command(
        process.execPath,
        ['scripts/install.js', gpu ? 'gpu' : 'cpu', 'download'],
        {
          cwd: copy,
          log: 'tensorflow-own-download',
          limitSeconds: 600,
          env: { NODE_PATH: [join(tfjs, 'node_modules'), modules].join(delimiter) },
          remedy:
            'The script downloads from storage.googleapis.com, or from TFJS_NODE_BASE_URI when that is set.',
        },
      ).then(
        () => undefined,
        (error) => error,
      )
      // The script also downloads a ready-made addon and fails if there is none. Only the library
      // is needed.
      const lib = join(copy, 'deps/lib')
      const links = missingLinks(existsSync(lib) ? await readdir(lib) : [])
      if (!links) throw failure ?? new SetupError(`${basename(tfjs)}'s script left no library in its folder.`)
      for (const entry of ['lib', 'include']) await rename(join(copy, 'deps', entry), join(target, entry))
      await rm(copy, { recursive: true })
      await addLinks(target, links)
    }),
  )
  return { name, directory }
}
