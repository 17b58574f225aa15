import { join } from 'node:path'
import { installOnce } from './install.mjs'
import { ensureMlflow } from './mlflow.mjs'
import { findPip, NETWORK_REMEDY } from './pip.mjs'
import { command, step } from './steps.mjs'

/**
 * Installs the packages that MLflow's authentication needs in addition to MLflow, in a directory
 * for PYTHONPATH. They take 0.5 MB; `mlflow[auth]` would install all of MLflow again.
 * @returns {Promise<string>} the directory
 */
export async function ensureMlflowAuth() {
  const python = join(await ensureMlflow(), '..', 'python')
  return installOnce('mlflow-auth/1', (directory) =>
    step("installing what MLflow's authentication needs (a few seconds)", () => {
      const [program, ...pip] = findPip(python)
      const options = ['--no-input', '--no-deps', '--retries=2', '--target', directory]
      return command(program, [...pip, 'install', ...options, 'Flask-WTF==1.2.2', 'WTForms==3.2.1'], {
        log: 'mlflow-auth-install',
        remedy: NETWORK_REMEDY,
      })
    }),
  )
}
