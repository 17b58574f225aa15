import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../common/errors.ts'

/**
 * Returns the folder of the page that is served. Undefined if no page is built. Throws a UserError
 * if the named folder has no page.
 */
export function pageFolder(named: string | undefined): Promise<string | undefined> {
  if (named === undefined) return Promise.resolve(undefined)
  if (!existsSync(join(named, 'index.html')))
    throw new UserError(`--page: ${named} has no index.html; expected the folder of a built page`)
  return Promise.resolve(named)
}
