import { UserError } from '../../common/errors.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'

/**
 * The paths of the objects in a store. They are the same in a directory and in an S3 bucket.
 *
 *     store.json                        the format of the store (store-format.ts)
 *     blobs/sha256/ab/abcd…             bytes, named by their SHA-256; they never change
 *     stages/<kind>/<key>/
 *       manifest.json                   the result of a finished stage; it is written last
 *       lease/…                         which attempt computes the stage (progress/lease.ts);
 *                                       deleted when the stage has finished
 *       checkpoints/…                   the state of an unfinished stage (progress/checkpoints.ts);
 *                                       deleted when the stage has finished
 *       signatures/<keyid>.json         DSSE envelopes that sign the manifest's digest
 *     runs/<id>/
 *       run.json                        the record of a run: its specification and its plan,
 *                                       which also names its attachments
 *       own.json                        marks a run that was started by itself, not only as a
 *                                       cell of a sweep
 *       labels.json                     the tags and the note that a user gave to the run
 *       report/…                        the report of the run
 *       report.signatures/<keyid>.json  DSSE envelopes that sign the report's digest
 *     sweeps/<id>/
 *       sweep.json                      the record of a sweep: its cells and their runs
 *       report/…                        the report of the sweep
 *     ledgers/<name>/
 *       ledger.json                     the record of a ledger: its specification
 *       000001.request.json             a deletion request; requests are numbered from 1
 *       000001.json                     how the request was settled, as canonical JSON
 *       000001.notes.json               its times, its samples and the salt of their ids
 *       000001.purge.json               the blobs that were deleted after the request
 *     removals/<name>.json              an unfinished removal (removal/removal-notes.ts)
 *     maintenance/<n>.json              the lock for deletions (removal/store-lock.ts)
 *     doctor/…                          temporary objects that test the store or read its clock
 *
 * Names in paths come from manifests, records and tasks, which may come from anybody. Every
 * function here throws a UserError for a name that could lead to another place.
 */

export function blobPath({ sha256: digest }: BlobRef): string {
  checkName(digest, /^[0-9a-f]{64}$/, 'the 64 hexadecimal digits of a SHA-256')
  return `blobs/sha256/${digest.slice(0, 2)}/${digest}`
}

/** The folder of everything that belongs to a stage, except its blobs. Ends in a slash. */
export function stageFolder({ kind, key }: StageRef): string {
  return `stages/${checkName(kind, NAME, 'a kind of stage')}/${checkName(key, NAME, 'the key of a stage')}/`
}

export const manifestPath = (stage: StageRef) => `${stageFolder(stage)}manifest.json`
/** The folder of the signatures of a stage's manifest. Ends in a slash. */
export const stageSignatures = (stage: StageRef) => `${stageFolder(stage)}signatures/`

/** The folder of a run, without a slash at its end. */
export const runFolder = (id: string) => `runs/${checkId(id)}` as const
export const runPath = (id: string) => `${runFolder(id)}/run.json`
export const ownPath = (id: string) => `${runFolder(id)}/own.json`
export const labelsPath = (id: string) => `${runFolder(id)}/labels.json`
export const outcomesPath = (id: string) => `${runFolder(id)}/report/outcomes.json`
export const reportPath = (id: string) => `${runFolder(id)}/report/report.json`
/** The folder of the signatures of a run's report. Ends in a slash. */
export const reportSignatures = (id: string) => `${runFolder(id)}/report.signatures/`

/** The folder of a sweep, without a slash at its end. */
export const sweepFolder = (id: string) => `sweeps/${checkId(id)}` as const
export const sweepPath = (id: string) => `${sweepFolder(id)}/sweep.json`
export const sweepReportPath = (id: string) => `${sweepFolder(id)}/report/report.json`

/** The folder of a ledger, without a slash at its end. */
export const ledgerFolder = (name: string) =>
  `ledgers/${checkName(name, NAME, 'the name of a ledger')}` as const
export const ledgerPath = (name: string) => `${ledgerFolder(name)}/ledger.json`
const numbered = (number: number) => String(number).padStart(6, '0')
export const requestPath = (name: string, number: number) =>
  `${ledgerFolder(name)}/${numbered(number)}.request.json`
export const deletionPath = (name: string, number: number) => `${ledgerFolder(name)}/${numbered(number)}.json`
export const deletionNotesPath = (name: string, number: number) =>
  `${ledgerFolder(name)}/${numbered(number)}.notes.json`
export const purgePath = (name: string, number: number) =>
  `${ledgerFolder(name)}/${numbered(number)}.purge.json`

/** Words that may have dots between them, as in the id of a verification. */
const NAME = /^(?!.{161})[\w-]+(\.[\w-]+)*$/
const checkId = (id: string) => checkName(id, NAME, 'the id of a run or a sweep')

function checkName(text: string, pattern: RegExp, expected: string): string {
  if (pattern.test(text)) return text
  throw new UserError(`"${text}" is no name of something in a store; expected ${expected}`)
}
