import type { RunEntry } from '../../../contract.ts'
import { duration } from '../../../../report/format.ts'
import { RunControls } from '../../controls/run-controls.tsx'
import { StageBar, StatusBadge } from '../../controls/status.tsx'
import { agoText, shortened, timeText } from '../../format.ts'
import { hashOf } from '../../shell/route.ts'

interface Props {
  readonly run: RunEntry
  readonly now: number
  readonly measure: (element: HTMLElement | null) => void
  readonly place: { readonly index: number; readonly count: number; readonly top: number }
  readonly isChosen: boolean
  readonly onChoose: () => void
  readonly onChange: () => void
}

const FAILURES = 2

/** A run in the list. */
export function RunLine({ run, now, measure, place, isChosen, onChoose, onChange }: Props) {
  const { id, state, stages, failures, startedAt, seconds, note, tags, sweep } = run
  const isUnderWay = state === 'running' || state === 'paused'
  return (
    <li
      class={`run${isChosen ? ' chosen' : ''}`}
      ref={measure}
      data-index={place.index}
      aria-setsize={place.count}
      aria-posinset={place.index + 1}
      style={{ transform: `translateY(${place.top}px)` }}
    >
      <input
        type="checkbox"
        checked={isChosen}
        onChange={onChoose}
        aria-label={`Select ${id} for a comparison`}
      />
      <div class="run-main">
        <p class="run-title">
          <a href={hashOf(['runs', id])}>{id}</a>
          {sweep !== undefined && (
            <a class="chip" href={hashOf(['sweeps', sweep])}>
              sweep {sweep}
            </a>
          )}
          {tags.map((tag) => (
            <a key={tag} class="chip" href={hashOf(['runs'], { tag })}>
              {tag}
            </a>
          ))}
        </p>
        <p class="note">
          {run.dataset}, {run.model}: {run.split} · {run.methods.join(', ')}
        </p>
        {note !== undefined && <p class="run-note">{note}</p>}
        {failures.slice(0, FAILURES).map(({ title, reason }) => (
          <p key={title} class="failure">
            ✗ {title}: {shortened(reason, 220)}
          </p>
        ))}
        {failures.length > FAILURES && <p class="failure">and {failures.length - FAILURES} more</p>}
      </div>
      <div class="run-state">
        <StatusBadge state={state} />
        {isUnderWay || stages.done < stages.all ? (
          <StageBar stages={stages} secondsLeft={run.secondsLeft} />
        ) : (
          <small>{stages.all} stages</small>
        )}
      </div>
      <div class="run-time">
        {startedAt !== undefined && (
          <time dateTime={startedAt} title={timeText(startedAt)}>
            {agoText(startedAt, now)}
          </time>
        )}
        {seconds !== undefined && <small>{duration(seconds)}</small>}
        {isUnderWay && <RunControls id={id} state={state} onChange={onChange} />}
      </div>
    </li>
  )
}
