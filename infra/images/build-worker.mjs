/**
 * Builds the content of the worker's image. It needs no container:
 *
 *     node infra/images/build-worker.mjs TARGET [--gpu]
 *
 * TARGET must be empty. It gets everything that a worker needs in addition to Node, and the worker
 * writes nothing into it:
 *
 *     app/          the sources, the packages of production, the addon, the bundle of workflows,
 *                   and the compiled command line and worker
 *     tensorflow/   TensorFlow's library, and with --gpu CUDA's libraries
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { giveUp } from '../set-up.mjs'
import { copyParts } from '../parts.mjs'
import { SetupError, step } from '../steps.mjs'

/** The files that are copied beside the folders. */
const FILES = ['zeroshift', 'package.json', 'package-lock.json', '.npmrc', 'LICENSE']
const DEPS = 'node_modules/@tensorflow/tfjs-node-gpu/deps'

async function build(target, gpu) {
  await mkdir(target, { recursive: true })
  const [found] = await readdir(target)
  if (found) throw new SetupError(`${target} has ${found} in it; expected an empty directory.`)
  const app = join(target, 'app')
  await copyParts(app, FILES)
  run(app, [
    ...['--input-type=module', '--eval'],
    `const { bootstrap, giveUp } = await import('./infra/set-up.mjs'); await bootstrap({ temporal: false, gpu: ${gpu} }).catch(giveUp)`,
  ])
  await step("copying TensorFlow's library", () => ownLibrary(target, app))
  await step('compiling the code and bundling the workflows (about 10 s)', async () => {
    run(app, [
      ...['--input-type=module', '--eval'],
      "const { load } = await import('./infra/compiled.mjs'); const { prepareToShip } = await load('worker/prepare.ts'); await prepareToShip()",
    ])
  })
}

function run(directory, args) {
  const { status, signal, error } = spawnSync(process.execPath, args, {
    cwd: directory,
    // npm leaves out packages that only development needs.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0)
    throw new SetupError(
      `\`node ${args.join(' ')}\` in ${directory} ended with ${error ?? signal ?? status}.`,
    )
}

/**
 * Replaces the link to the library in the cache, which is not in the image, by a relative link to a
 * copy.
 */
async function ownLibrary(target, app) {
  const deps = join(app, DEPS)
  const library = join(target, 'tensorflow')
  await cp(await realpath(deps), library, { recursive: true, verbatimSymlinks: true })
  await rm(deps)
  await symlink(relative(dirname(deps), library), deps)
  if (!existsSync(join(deps, 'lib'))) throw new SetupError(`${deps} does not lead to TensorFlow's library.`)
}

const [target, flag, ...more] = process.argv.slice(2)
if (!target || target.startsWith('-') || (flag !== undefined && flag !== '--gpu') || more.length > 0) {
  process.stderr.write('Usage: node infra/images/build-worker.mjs TARGET [--gpu]\n')
  process.exit(2)
}
await build(resolve(target), flag === '--gpu').catch(giveUp)
