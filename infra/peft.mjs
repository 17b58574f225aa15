import { ensureEnvironment, presentEnvironment } from './environment.mjs'

const VERSION = '0.21.2'

const environment = {
  name: 'peft',
  // Raise the number behind the plus when the other packages change.
  version: `${VERSION}+2`,
  packages: [
    `peft==${VERSION}`,
    'transformers==5.24.0',
    'torch==2.15.0',
    'pandas==3.1.1',
    'scikit-learn==1.9.1',
    'pytest==9.2.0',
    'setuptools==84.2.1',
  ],
  title: `installing PEFT ${VERSION} with transformers, PyTorch and scikit-learn (3 to 10 min, 6 GB)`,
  program: 'python',
}

/**
 * Installs PEFT, transformers, PyTorch, pandas, scikit-learn and pytest in a virtual environment of
 * their own. Tests compare adapters and checkpoints with them, and test the Python package.
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
