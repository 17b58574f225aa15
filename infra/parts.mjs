import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './checkout.mjs'

/** The folders of the checkout that a worker or a command uses, except for infra/. */
export const FOLDERS = [
  ...['common', 'host', 'experiment', 'datasets', 'learning', 'unlearning', 'pretrained', 'artifacts'],
  ...['sources', 'tracking', 'report', 'activities', 'workflows', 'worker', 'stack', 'cli', 'api'],
  ...['programs', 'signatures', 'configs', 'data', 'ui'],
]

/** The files of infra/ that are copied: the set-up alone. The folder may also contain secrets. */
const INFRA = join(ROOT, 'infra')
const isSetUp = (path) => path === INFRA || /\.(mjs|mts|py)$/.test(path)

/**
 * Copies what a worker or a command uses into a folder.
 * @param {string} target
 * @param {readonly string[]} files further files of the checkout
 * @returns {Promise<void>}
 */
export async function copyParts(target, files) {
  for (const part of [...files, ...FOLDERS])
    await cp(join(ROOT, part), join(target, part), { recursive: true })
  await cp(INFRA, join(target, 'infra'), { recursive: true, filter: isSetUp })
}
