import { UserError } from '../../common/errors.ts'
import { isElsewhere } from '../../experiment/spec/places.ts'

/**
 * Refuses a URL where a command needs a folder of this machine: as a path it would name a folder
 * called `https:`. Throws a UserError.
 */
export function refuseUrl(path: string, name: string): void {
  if (isElsewhere(path)) throw new UserError(`${name}: ${path} is a URL; expected a folder of this machine`)
}
