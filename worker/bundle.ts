import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from '../host/cache.mjs'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))

/** The directory with the bundles that images and packages have. A checkout has none. */
export const shippedBundles = join(root, 'built', 'workflows')

const cachedBundles = () => join(cacheDirectory(), 'workflows')

/** Returns whether the bundle that a worker without a payload codec uses is made already. */
export async function isBundled(): Promise<boolean> {
  const name = `${await sourcesDigest()}.js`
  return [shippedBundles, cachedBundles()].some((directory) => existsSync(join(directory, name)))
}

/**
 * Returns the workflows as one script. Bundling takes seconds, so that the script is cached under
 * the digest of everything that it depends on: the sources of workflows/, experiment/ and common/,
 * this file, and the SDK's version. `failureConverterPath` is that of the worker's data converter.
 */
export async function workflowBundle(
  directory = cachedBundles(),
  failureConverterPath?: string,
): Promise<{ readonly code: string }> {
  const name = `${await sourcesDigest()}${failureConverterPath === undefined ? '' : '-encoding'}.js`
  const kept = join(directory, name)
  for (const place of [join(shippedBundles, name), kept])
    try {
      return { code: await readFile(place, 'utf8') }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker')
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows', 'index.ts'),
    ...(failureConverterPath !== undefined && { failureConverterPath }),
    workflowInterceptorModules: [join(root, 'workflows', 'trace.ts')],
    logger: new DefaultLogger('ERROR'),
  })
  await mkdir(directory, { recursive: true })
  const aside = `${kept}.${process.pid}`
  await writeFile(aside, code)
  await rename(aside, kept)
  return { code }
}

async function sourcesDigest(): Promise<string> {
  const hash = createHash('sha256')
  const { version } = require('@temporalio/worker/package.json') as { version: string }
  hash.update(version).update(await readFile(fileURLToPath(import.meta.url)))
  for (const folder of ['common', 'experiment', 'workflows'])
    for (const name of (await readdir(join(root, folder), { recursive: true })).sort())
      if (/\.(ts|json)$/.test(name))
        hash.update(`\0${folder}/${name}\0`).update(await readFile(join(root, folder, name)))
  return hash.digest('hex').slice(0, 32)
}
