import { UserError } from '../common/errors.ts'
import { dataError } from './files.ts'

/** Nobody said where the data is, and it is in none of the places where it could be. */
export function missingFiles(name: string, files: readonly string[]): UserError {
  return dataError(
    'data.name',
    `the files of ${name} are not here: put ${files.join(', ')} into a directory and name it as data.from, ` +
      `or into $ZEROSHIFT_DATA/${name}`,
  )
}

/** Data that nobody but the user has. */
export function unnamedPlace(name: string): UserError {
  return dataError(
    'data.from',
    `${name} has no files of its own; name as data.from where yours are (a directory, https://…, s3://… or ` +
      'hf://datasets/owner/name@revision), or the directory as dataDirectory or --data-directory',
  )
}
