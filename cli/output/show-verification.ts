import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { Figure } from '../../experiment/records/results.ts'
import { percent, short } from '../../report/format.ts'
import type { Verification, VerifiedRow } from '../../report/verification.ts'
import { columns, coloursOf } from './print.ts'
import { counted } from './format.ts'
import type { Output } from './output.ts'

/**
 * - `verified`: the bytes are the reported ones.
 * - `within-floor`: other bytes on other hardware, with figures as close as those of two gold
 * models.
 * - `different`: anything else.
 */
export type VerificationStatus = 'verified' | 'within-floor' | 'different'

export function statusOf({ verdict }: Pick<Verification, 'verdict'>): VerificationStatus {
  if (verdict === 'same') return 'verified'
  return verdict === 'within-floor' ? 'within-floor' : 'different'
}

/** Prints the comparison of a run that was computed again with its report. */
export function showVerification(
  id: string,
  verification: Verification,
  { printLine, out }: Pick<Output, 'printLine' | 'out'>,
): void {
  const { green, yellow, red } = coloursOf(out)
  const colours = { verified: green, 'within-floor': yellow, different: red }
  for (const line of verificationLines(verification)) printLine(line)
  printLine(colours[statusOf(verification)](`${id}: ${sentenceOf(verification)}`))
}

function sentenceOf({ verdict, environment, floor }: Verification): string {
  const deciding = environment.filter(({ decides }) => decides).map(({ name }) => name)
  const elsewhere = `other bytes, and what they depend on is not the same either (${deciding.join(', ')}).`
  switch (verdict) {
    case 'same':
      return 'the same bytes as reported.'
    case 'within-floor':
      return (
        `${elsewhere} RA, UA, TA and MIA of every row are within the floor: as near to the reported ones as two gold models ` +
        'are. This is no verification: what the report says of its hardware and of its bytes cannot be checked here.'
      )
    case 'beyond-floor':
      return `${elsewhere} ${floor.within === false ? 'The reported floor is another one than that computed here' : 'Not every row is within the floor'}.`
    case 'unjudged':
      return `${elsewhere} There is no floor to compare the figures with.`
    case 'differs':
      return 'other bytes, where device, threads and libraries are the same.'
    case 'contradictory':
      return 'the report does not say what its own stages say: they are the same here, and it is not.'
  }
}

/** Returns lines about what differs, and by how much. Pure. */
function verificationLines(verification: Verification): readonly string[] {
  const { verdict, stages, blobs, figures, environment } = verification
  const same = stages.filter((stage) => stage.same).length
  const counts = [
    `${same} of ${counted(stages.length, 'stage')} ${same === 1 ? 'is' : 'are'} the same`,
    blobs
      ? `${blobs.same} of ${counted(blobs.of, 'blob')} are the same bytes`
      : 'the report lists no blobs, for which the digests of its stages stand',
  ]
  const lines = [
    '',
    columns([['STAGE', 'BLOB', '', 'SHA-256'], ...stages.flatMap(stageRows)]),
    '',
    `${counts.join('; ')}.`,
    '',
    ...environmentLines(environment),
  ]
  if (verdict === 'same') return lines
  return [...lines, ...figureLines(figures), ...rowLines(verification)]
}

function environmentLines(environment: Verification['environment']): readonly string[] {
  if (environment.length === 0)
    return ['The environment is the recorded one, as far as the report tells.', '']
  const rows = environment.map(({ name, recorded, here }) => [name, recorded.join(', '), here.join(', ')])
  return [columns([['ENVIRONMENT', 'RECORDED', 'HERE'], ...rows]), '']
}

function stageRows({
  title,
  same,
  recorded,
  here,
  blobs,
}: Verification['stages'][number]): readonly string[][] {
  return [
    [title, 'manifest', ...compared(same, recorded, here)],
    ...blobs.map((blob) => ['', blob.name, ...compared(blob.same, digest(blob.recorded), digest(blob.here))]),
  ]
}

const digest = (blob: BlobRef | undefined) => blob?.sha256

function compared(same: boolean, recorded: string | undefined, here: string | undefined): readonly string[] {
  const shown = (digest: string | undefined) => (digest === undefined ? 'nothing' : short(digest))
  return same ? ['same', shown(here)] : ['differs', `${shown(recorded)}, here ${shown(here)}`]
}

const SHOWN = 10

function figureLines(figures: Verification['figures']): readonly string[] {
  if (figures.length === 0) return []
  const rows = figures.slice(0, SHOWN).map(({ path, before, after }) => [path, before, after])
  const more = figures.length - SHOWN
  return [
    columns([['FIGURE', 'RECORDED', 'HERE'], ...rows]),
    ...(more > 0 ? [`and ${counted(more, 'more figure')}`] : []),
    '',
  ]
}

function rowLines({ rows, floor }: Verification): readonly string[] {
  const heading = ['DIFFERENCE IN POINTS', 'RA', 'UA', 'TA', 'MIA', 'MEAN', '']
  return [columns([heading, ...rows.map(rowCells)]), ...floorLines(floor), '']
}

function floorLines({ recorded, here, same }: Verification['floor']): readonly string[] {
  const found =
    'value' in here
      ? `The floor, the mean average gap of two gold models, as computed here: ${percent(here.value)} points.`
      : `No floor: ${here.missing}.`
  const reported = 'value' in recorded ? `${percent(recorded.value)} points` : `none: ${recorded.missing}`
  return same ? [found] : [found, `The report gives another floor: ${reported}.`]
}

function rowCells({ label, differences: { ra, ua, ta, mia }, mean, within }: VerifiedRow): readonly string[] {
  const verdict = within === undefined ? '' : within ? 'within the floor' : 'beyond the floor'
  return [label, ...[ra, ua, ta, mia, mean].map(points), verdict]
}

function points(figure: Figure): string {
  return 'value' in figure ? percent(figure.value) : 'n/a'
}
