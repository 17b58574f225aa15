import { ensureEnvironment, presentEnvironment } from './environment.mjs'

const VERSION = '3.17.2'

const environment = {
  name: 'mlflow',
  version: VERSION,
  packages: [`mlflow==${VERSION}`],
  title: `installing MLflow ${VERSION} (about 80 s, 850 MB)`,
  program: 'mlflow',
}

/**
 * Installs MLflow in a virtual environment of its own.
 * @returns {Promise<string>} the path of the `mlflow` executable
 */
export function ensureMlflow() {
  return ensureEnvironment(environment)
}

/**
 * @returns {string | undefined} the path, or undefined if it is not installed
 */
export function presentMlflow() {
  return presentEnvironment(environment)
}
