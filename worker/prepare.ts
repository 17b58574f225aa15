import { fileURLToPath } from 'node:url'
import { codeDigests, codeNames } from '../activities/runtime/code-digests.ts'
import { storedDigests } from '../activities/runtime/stored-digests.ts'
import { isBundled, shippedBundles, workflowBundle } from './bundle.ts'
import { failureConverterPath } from './failure-converter-path.ts'

const checkout = fileURLToPath(new URL('..', import.meta.url))

/**
 * Makes what the first run would otherwise make: the bundle of the workflows and the digests of the
 * code of stages. The set-up calls this. Does nothing if they are present. `whileWorking` shows the
 * user that it takes seconds.
 */
export async function prepare(whileWorking: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  if ((await isBundled()) && (await storedDigests(codeNames, checkout))) return
  await whileWorking(async () => {
    await Promise.all([workflowBundle(), codeDigests(codeNames)])
  })
}

/**
 * Makes the same in this folder itself, for an image or a package whose folder is read-only where
 * it is used: the bundles for workers with and without a payload codec, and the digests.
 */
export async function prepareToShip(): Promise<void> {
  await workflowBundle(shippedBundles)
  await workflowBundle(shippedBundles, failureConverterPath)
  await codeDigests(codeNames)
}
