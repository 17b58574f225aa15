import type { RunState, StageCounts } from '../../contract.ts'
import { duration } from '../../../report/format.ts'

/** The state of a run as a word with a mark, so that it does not depend on colours. */
export function StatusBadge({ state }: { readonly state: RunState | 'waiting' | 'stopped' }) {
  return (
    <span class={`status ${state}`}>
      <span aria-hidden="true">{marks[state]}</span> {state}
    </span>
  )
}

const marks: Readonly<Record<RunState | 'waiting' | 'stopped', string>> = {
  running: '›',
  paused: '‖',
  completed: '✓',
  incomplete: '◐',
  interrupted: '◌',
  failed: '✗',
  cancelled: '–',
  waiting: '·',
  stopped: '■',
}

/** How many stages are done, as a bar. */
export function StageBar({
  stages: { all, done, running, failed },
  secondsLeft,
}: {
  readonly stages: StageCounts
  readonly secondsLeft?: number | undefined
}) {
  const parts = [
    `${done} of ${all} stages`,
    ...(running > 0 ? [`${running} running`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(secondsLeft === undefined ? [] : [`about ${duration(secondsLeft)} left`]),
  ]
  return (
    <div class="stage-bar">
      <ProgressBar
        share={all === 0 ? 0 : done / all}
        failed={all === 0 ? 0 : failed / all}
        label={parts[0] ?? ''}
      />
      <small>{parts.join(' · ')}</small>
    </div>
  )
}

/** A bar of shares from 0 to 1. */
export function ProgressBar({
  share,
  failed = 0,
  label,
}: {
  readonly share: number
  readonly failed?: number
  readonly label: string
}) {
  const width = (part: number) => `${100 * Math.min(1, Math.max(0, part))}%`
  return (
    <div
      class="bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(100 * share)}
    >
      <span class="bar-done" style={{ width: width(share) }} />
      <span class="bar-failed" style={{ width: width(failed) }} />
    </div>
  )
}
