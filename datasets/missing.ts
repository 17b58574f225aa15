import { UserError } from '../common/errors.ts'
import { dataError } from './files.ts'

/** The error for data that no config names and that is in none of the default places. */
export function missingFiles(name: string, files: readonly string[]): UserError {
  return dataError(
    'data.name',
    `the files of ${name} are not here: put ${files.join(', ')} into a directory and name it as data.from, ` +
      `or into $ZEROSHIFT_DATA/${name}`,
  )
}

/** The error for data of the user's own without a location. */
export function unnamedPlace(name: string): UserError {
  return dataError(
    'data.from',
    `${name} has no files of its own; name as data.from where yours are (a directory, https://…, s3://… or ` +
      'hf://datasets/owner/name@revision), or the directory as dataDirectory or --data-directory',
  )
}
