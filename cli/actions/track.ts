import { trackStoredSweep } from '../../activities/delivery/track-sweep.ts'
import { clientOf, trackStored } from '../../activities/delivery/track.ts'
import { UserError } from '../../common/errors.ts'
import type { Settings } from '../../experiment/spec/settings.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { idIn } from '../workspace/named-run.ts'
import { counted } from '../output/format.ts'
import { runRecordIn } from '../workspace/workspace.ts'
import { print, printError } from '../output/print.ts'

interface TrackOptions {
  readonly tracking?: string
  readonly store?: string
}

/**
 * `zeroshift track ID`: sends MLflow what it does not have of a run or a sweep. Sending again
 * duplicates nothing.
 */
export async function track(word: string, { tracking: uri, store }: TrackOptions): Promise<number> {
  const artifacts = await artifactsIn(store)
  const id = await idIn(artifacts.store, word)
  const to = (own: Settings['tracking'], what: string) => {
    const tracking = uri === undefined ? own : { ...own, uri }
    if (tracking) {
      // Reports a mistake in the credentials before anything is sent.
      clientOf(tracking)
      return tracking
    }
    throw new UserError(
      `the ${what} ${id} was started without an MLflow server; name one with --tracking http://HOST:PORT`,
    )
  }
  const send = async () => {
    const sweep = await artifacts.sweep(id)
    if (sweep) return trackStoredSweep(artifacts, sweep, to(sweep.tracking, 'sweep'))
    const run = await runRecordIn(artifacts, id)
    return trackStored(artifacts, run, to(run.settings?.tracking, 'run'))
  }
  const { points, runs, notes } = await send()
  print(
    runs === 0
      ? 'MLflow has everything already.'
      : `Sent ${counted(points, 'point')} to ${counted(runs, 'MLflow run')}.`,
  )
  for (const note of notes) printError(note)
  return 0
}
