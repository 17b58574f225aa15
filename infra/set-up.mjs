import { constants } from 'node:os'
import { isInstalled } from './checkout.mjs'
import { ensureClusterTools, presentClusterTools } from './cluster-tools.mjs'
import { ensureMlflow, presentMlflow } from './mlflow.mjs'
import { ensureModelSigning, presentModelSigning } from './model-signing.mjs'
import { ensureNative, isNativeCached, isNativeReady, useNative } from './native.mjs'
import { arePackagesReady, ensurePackages } from './packages.mjs'
import { ensurePeft, presentPeft } from './peft.mjs'
import { findCompiler, findPython } from './programs.mjs'
import { inPart } from './progress.mjs'
import { Interrupted, say, SetupError } from './steps.mjs'
import { ensureTemporal, presentTemporal } from './temporal.mjs'
import { ensureTemporalServer, presentTemporalServer } from './temporal-server.mjs'
import { ensureVersitygw, presentVersitygw } from './versitygw.mjs'

/**
 * Makes this checkout, or this installed package, ready to run.
 * @param {object} [options]
 * @param {boolean} [options.native]
 * @param {boolean} [options.temporal]
 * @param {boolean} [options.mlflow]
 * @param {boolean} [options.s3]
 * @param {boolean} [options.peft]
 * @param {boolean} [options.clusterTools]
 * @param {boolean} [options.tls]
 * @param {boolean} [options.modelSigning]
 * @param {boolean} [options.gpu]
 * @returns {Promise<void>} rejects with a SetupError, whose message is for the user
 */
export async function bootstrap({
  native = true,
  temporal = true,
  mlflow = false,
  s3 = false,
  peft = false,
  clusterTools = false,
  tls = false,
  modelSigning = false,
  gpu = process.env.ZEROSHIFT_DEVICE === 'gpu',
} = {}) {
  checkNode()
  if (native && !(haveOwnPackages() && isNativeReady({ gpu })) && !isNativeCached({ gpu })) {
    // A missing program is found now, rather than after minutes of downloads.
    findPython()
    findCompiler()
  }
  const packages = { isReady: haveOwnPackages, ensure: ensurePackages }
  // Parts that are mostly downloaded run beside parts that are mostly built.
  const downloads = [
    // npm removes the addon from node_modules when it installs changed packages.
    native && {
      isReady: () => haveOwnPackages() && isNativeReady({ gpu }),
      ensure: () => ensureNative({ gpu }),
    },
    mlflow && { isReady: presentMlflow, ensure: ensureMlflow },
    peft && { isReady: presentPeft, ensure: () => unlessImpossible('PEFT', ensurePeft) },
    modelSigning && {
      isReady: presentModelSigning,
      ensure: () => unlessImpossible('model_signing', ensureModelSigning),
    },
  ]
  const builds = [
    temporal && { isReady: presentTemporal, ensure: ensureTemporal },
    s3 && { isReady: presentVersitygw, ensure: ensureVersitygw },
    tls && {
      isReady: presentTemporalServer,
      ensure: () => unlessImpossible('the Temporal server with TLS', ensureTemporalServer),
    },
    clusterTools && {
      isReady: presentClusterTools,
      ensure: () => unlessImpossible('Helm and its kin', ensureClusterTools),
    },
  ]
  await inParts([packages], downloads.filter(Boolean), builds.filter(Boolean))
  useNative()
}

/** npm installs the packages that an installed package needs. */
const haveOwnPackages = () => isInstalled() || arePackagesReady()

/**
 * Sets up the parts that are not ready yet: the first list, then the other lists side by side.
 * @typedef {{ isReady: () => unknown, ensure: () => Promise<unknown> }} Part
 * @param {Part[]} first
 * @param {Part[][]} lists
 * @returns {Promise<void>}
 */
async function inParts(first, ...lists) {
  const missing = [first, ...lists].map((list) => list.filter(({ isReady }) => !isReady()))
  const numbered = missing.flat()
  const inOrder = async (list) => {
    for (const part of list) await inPart(numbered.indexOf(part) + 1, numbered.length, part.ensure)
  }
  const [before, ...beside] = missing
  await inOrder(before)
  // If one list fails, the work of the others is not lost.
  const ends = await Promise.allSettled(beside.map(inOrder))
  const failed = ends.find(({ status }) => status === 'rejected')
  if (failed) throw failed.reason
}

/**
 * Sets up a part that some tests alone use. If it cannot be installed, these tests are skipped.
 */
async function unlessImpossible(name, ensure) {
  try {
    await ensure()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`without ${name}, whose tests are skipped: ${error.message}`)
  }
}

function checkNode() {
  const [major, minor, patch] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && (minor > 18 || (minor === 18 && patch >= 1)))) return
  throw new SetupError(
    `Node 20.18.1 or newer is needed, and this is ${process.versions.node} (${process.execPath}).\n` +
      'Install it from https://nodejs.org, or with a version manager: nvm install 22.',
  )
}

/**
 * Ends the process with a SetupError's message; other errors keep their stack.
 * @param {unknown} error
 * @returns {never}
 */
export function giveUp(error) {
  if (error instanceof Interrupted) process.exit(128 + constants.signals[error.signal])
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`\nzeroshift: the set-up cannot go on.\n\n${error.message}\n`)
  process.exit(1)
}
