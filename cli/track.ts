import { trackStored } from '../activities/track.ts'
import { openArtifacts } from '../artifacts/artifacts.ts'
import { UserError } from '../experiment/errors.ts'
import { counted } from './format.ts'
import { recordIn, storeFor } from './place.ts'

export interface TrackOptions {
  readonly tracking?: string
  readonly store?: string
}

/** `zeroshift track ID`: brings MLflow up to what the store has. Sent again, nothing is there twice. */
export async function track(id: string, { tracking: uri, store }: TrackOptions): Promise<number> {
  const artifacts = openArtifacts(storeFor(store))
  const run = await recordIn(artifacts, id)
  const own = run.settings?.tracking
  const tracking = uri === undefined ? own : { ...own, uri }
  if (!tracking)
    throw new UserError(
      `the run ${id} was started without an MLflow server; name one with --tracking http://HOST:PORT`,
    )
  const { points, runs, notes } = await trackStored(artifacts, run, tracking)
  console.log(
    runs === 0
      ? 'MLflow has everything already.'
      : `Sent ${counted(points, 'point')} to ${counted(runs, 'MLflow run')}.`,
  )
  for (const note of notes) console.error(note)
  return 0
}
