import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../common/errors.ts'
import { builtPage } from '../../infra/page.mjs'

/**
 * Returns the folder of the page that is served: the named one, or the build of this installation.
 * Throws a UserError if the named folder has no page.
 */
export function pageFolder(named: string | undefined): Promise<string> {
  if (named === undefined) return builtPage()
  if (!existsSync(join(named, 'index.html')))
    throw new UserError(`--page: ${named} has no index.html; expected the folder of a built page`)
  return Promise.resolve(named)
}
