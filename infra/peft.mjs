import { ensureEnvironment, presentEnvironment } from './environment.mjs'

const VERSION = '0.21.2'

const environment = {
  name: 'peft',
  version: VERSION,
  packages: [`peft==${VERSION}`, 'transformers==5.24.0', 'torch==2.15.0'],
  title: `installing PEFT ${VERSION} with transformers and PyTorch (3 to 10 min, 6 GB)`,
  program: 'python',
}

/**
 * Installs PEFT, transformers and PyTorch in a virtual environment of their own. Tests compare
 * adapters and checkpoints with them.
 * @returns {Promise<string>} the path of its `python`
 */
export function ensurePeft() {
  return ensureEnvironment(environment)
}

/**
 * @returns {string | undefined} the path, or undefined if it is not installed
 */
export function presentPeft() {
  return presentEnvironment(environment)
}
