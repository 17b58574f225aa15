import { ensureEnvironment, presentEnvironment } from './environment.mjs'

const VERSION = '1.1.1'

const environment = {
  name: 'model-signing',
  // Raise the number behind the plus when the other packages change.
  version: `${VERSION}+1`,
  // The package imports pyOpenSSL without requiring it.
  packages: [`model-signing==${VERSION}`, 'pyOpenSSL==26.4.0'],
  title: `installing model-signing ${VERSION} (about 30 s, 100 MB)`,
  program: 'model_signing',
}

/**
 * Installs Python's model_signing in a virtual environment of its own. A test verifies signatures
 * of model files with it.
 * @returns {Promise<string>} the path of the `model_signing` executable
 */
export function ensureModelSigning() {
  return ensureEnvironment(environment)
}

/**
 * @returns {string | undefined} the path, or undefined if it is not installed
 */
export function presentModelSigning() {
  return presentEnvironment(environment)
}
