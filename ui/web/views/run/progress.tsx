import type { RunProgress, StageProgress } from '../../../../experiment/records/run.ts'
import { paceOf, rateText } from '../../../../experiment/records/pace.ts'
import { duration } from '../../../../report/format.ts'
import { ProgressBar } from '../../controls/status.tsx'
import { groupsOf, type StageGroup } from './groups.ts'

/** The progress of a run, group by group, as the command line shows it. */
export function ProgressView({ progress, now }: { readonly progress: RunProgress; readonly now: number }) {
  return (
    <div class="progress-groups">
      {groupsOf(progress.stages).map((group) => (
        <GroupView key={group.name} group={group} now={now} />
      ))}
    </div>
  )
}

function GroupView({ group, now }: { readonly group: StageGroup; readonly now: number }) {
  const { name, stages, done, cached, running, failed, elsewhere, waiting, seconds } = group
  const isDone = done === stages.length
  const parts = [
    `${done} of ${stages.length} done`,
    ...(cached > 0 ? [cached === done && isDone ? 'all cached' : `${cached} cached`] : []),
    ...(seconds > 0 ? [duration(seconds)] : []),
    ...(elsewhere.length > 0 ? [`${elsewhere.length} computed by another run`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ]
  return (
    <div class={`progress-group${isDone ? ' done' : ''}`}>
      <div class="progress-head">
        <h2>{name}</h2>
        <ProgressBar
          share={done / stages.length}
          failed={failed.length / stages.length}
          label={`${name}: ${parts.join(', ')}`}
        />
        <small>{parts.join(' · ')}</small>
      </div>
      {running.map((stage) => (
        <RunningStage key={stage.key} stage={stage} now={now} />
      ))}
      {failed.map((stage) => (
        <p key={stage.key} class="failure">
          ✗ {stage.title}: {stage.error ?? 'failed'}
        </p>
      ))}
      <details>
        <summary>{stages.length === 1 ? 'The stage' : `All ${stages.length} stages`}</summary>
        <ul class="stages">
          {stages.map((stage) => (
            <li key={stage.key} class={stage.state}>
              <span>{stage.title}</span>
              <small>
                {stage.elsewhere ? 'computed by another run' : stage.state}
                {stage.state === 'computed' &&
                  stage.seconds !== undefined &&
                  ` in ${duration(stage.seconds)}`}
              </small>
            </li>
          ))}
        </ul>
      </details>
    </div>
  )
}

function RunningStage({ stage, now }: { readonly stage: StageProgress; readonly now: number }) {
  const { title, step, steps, loss, startedAt, resumedAt, error } = stage
  const pace = paceOf(stage, now)
  const hasSteps = step !== undefined && steps !== undefined && steps > 0
  const parts = [
    ...(hasSteps ? [`step ${step} of ${steps}`] : []),
    ...(loss === undefined ? [] : [`loss ${loss.toPrecision(4)}`]),
    ...(pace ? [rateText(pace), `about ${duration(pace.secondsLeft)} left`] : []),
    ...(!hasSteps && startedAt !== undefined ? [duration(Math.max(0, now - startedAt) / 1000)] : []),
    ...(resumedAt === undefined ? [] : [`continued from step ${resumedAt}`]),
  ]
  return (
    <div class="running-stage">
      <p>
        <span aria-hidden="true">›</span> {title}
      </p>
      {hasSteps && <ProgressBar share={step / steps} label={title} />}
      <small>{parts.join(' · ')}</small>
      {error !== undefined && <p class="failure">Tried again after: {error}</p>}
    </div>
  )
}
