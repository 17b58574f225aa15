import { BlobError } from '../../../artifacts/blobs/blob-errors.ts'
import { neighboursOf, readPictures, samplesOf, type Pictures } from '../../../activities/samples.ts'
import { sampleScoresOf } from '../../../activities/sample-scores.ts'
import { outcomeAttacks } from '../../../experiment/records/outcomes.ts'
import type { Neighbours, SampleScores, SampleTable } from '../../contract.ts'
import { RefusedRequest, type Answer, type Params } from './answer.ts'
import type { AnswerContext } from './context.ts'
import { fromRun, runInput } from './run-input.ts'

/** The samples of a run with the confidence of each model. */
export async function samplesAnswer(context: AnswerContext, { run = '' }: Params): Promise<Answer> {
  const table: SampleTable | undefined = await fromRun(context, { name: 'samples', run }, (input) =>
    samplesOf(context.artifacts, input),
  ).catch(refuseUnreadable)
  if (table) return { json: table }
  throw new RefusedRequest(404, NOT_KNOWN, WAIT)
}

const NOT_KNOWN = 'the samples of this run are not known yet'
const WAIT = 'wait until its split is there'

/** The scores that an attack gives to the samples of the table. */
export async function scoresAnswer(
  context: AnswerContext,
  { run = '', attack: name = '' }: Params,
): Promise<Answer> {
  const attack = outcomeAttacks.find((one) => one === name)
  if (attack === undefined)
    throw new RefusedRequest(
      404,
      `there is no attack '${name}'`,
      'the list of samples names the attacks of a run',
    )
  const scores: SampleScores | undefined = await fromRun(
    context,
    { name: `scores ${attack}`, run },
    (input) => sampleScoresOf(context.artifacts, input, attack),
  ).catch(refuseUnreadable)
  if (scores) return { json: scores }
  throw new RefusedRequest(404, NOT_KNOWN, WAIT)
}

/** The nearest samples of the other sets by their pixels. */
export async function neighboursAnswer(
  context: AnswerContext,
  { run = '', sample = '' }: Params,
): Promise<Answer> {
  const pictures = await picturesOf(context, run)
  const neighbours: Neighbours | undefined = neighboursOf(pictures, sampleNumber(sample))
  if (neighbours) return { json: neighbours }
  throw new RefusedRequest(404, `the data have no sample ${sample}`)
}

/** The pictures of the run that was looked at last. Those of several runs would fill the memory. */
const latest = new WeakMap<
  AnswerContext,
  { readonly digest: string; readonly pictures: Promise<Pictures | undefined> }
>()

/** The pictures of a run. Throws a RefusedRequest if they cannot be read. */
export async function picturesOf(context: AnswerContext, run: string): Promise<Pictures> {
  const { input, digest } = await runInput(context, run)
  const known = latest.get(context)
  const own = known?.digest === digest ? known : { digest, pictures: readPictures(context.artifacts, input) }
  latest.set(context, own)
  const pictures = await own.pictures.catch((error: unknown) => {
    latest.delete(context)
    return refuseUnreadable(error)
  })
  if (pictures) return pictures
  throw new RefusedRequest(404, 'the store has no pictures of this run that can be shown')
}

/** Throws a RefusedRequest for a blob that the store cannot give, and any other error as it is. */
function refuseUnreadable(error: unknown): never {
  if (!(error instanceof BlobError)) throw error
  throw new RefusedRequest(
    404,
    'the store has no usable blob of the data or of the split of this run',
    'if they were not purged, `./zeroshift check` says how to repair the store',
  )
}

/** The number in a path. A text that is no number is one that no sample has. */
export function sampleNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : -1
}
