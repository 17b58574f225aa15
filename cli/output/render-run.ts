import { createColors } from 'picocolors'
import { paceOf, rateText } from '../../experiment/records/pace.ts'
import { remainingWork } from '../../experiment/records/remaining-work.ts'
import type { RunProgress, StageProgress } from '../../experiment/records/run.ts'
import { kindsByGroup } from '../../experiment/stages/stage.ts'
import type { Writer } from './follow.ts'
import { clip, duration, joinLines } from './format.ts'

/** The progress of a run as text. All functions are pure: the time is an argument. */

const NAME = Math.max(...kindsByGroup.map(({ name }) => name.length)) + 2
const BAR = 20
/** The largest number of stages that share a line with their titles. */
const NAMED = 3
const ELSEWHERE = 'computed by another run'

/**
 * Returns the live display for a terminal with `width` columns. `now` is in milliseconds since
 * 1970. A group whose stages are all done takes one line.
 */
export function renderProgress(progress: RunProgress, width: number, now: number, colour = false): string {
  const { bold, cyan, dim, green, red } = createColors(colour)
  const paint = { done: green, running: cyan, waiting: dim, failed: red }
  const lines = kindsByGroup.flatMap(({ name, kinds }) => {
    const stages = progress.stages.filter(({ kind }) => kinds.includes(kind))
    return groupLines(stages, now).map(({ mark, state, text }, i) => {
      const head = (i === 0 ? name : '').padEnd(NAME)
      const body = clip(text, width - NAME - 4)
      return `  ${bold(head)}${paint[state](mark)} ${state === 'waiting' ? dim(body) : body}`
    })
  })
  return [clip(progress.paused ? `${progress.id} · paused` : progress.id, width), ...lines].join('\n')
}

interface Line {
  readonly mark: string
  readonly state: 'done' | 'running' | 'waiting' | 'failed'
  readonly text: string
}

function groupLines(stages: readonly StageProgress[], now: number): Line[] {
  const lines: Line[] = []
  const done = stages.filter(isDone)
  if (done.length > 0) {
    const cached = done.filter(({ state }) => state === 'cached').length
    const seconds = done.reduce(
      (sum, stage) => sum + (stage.state === 'computed' ? (stage.seconds ?? 0) : 0),
      0,
    )
    const parts = [
      done.length === stages.length && done.length <= NAMED
        ? titles(done)
        : `${done.length} of ${stages.length} done`,
      ...(cached > 0 ? [cached === done.length ? 'cached' : `${cached} cached`] : []),
      ...(cached < done.length ? [duration(seconds)] : []),
    ]
    lines.push({ mark: '✓', state: 'done', text: parts.join(' · ') })
  }
  for (const stage of stages) {
    if (stage.state === 'failed')
      lines.push({
        mark: '✗',
        state: 'failed',
        text: `${stage.title}: ${joinLines(stage.error ?? 'failed')}`,
      })
    if (stage.state === 'running')
      lines.push({
        mark: '›',
        state: 'running',
        text: stageText(stage, now),
      })
  }
  const elsewhere = stages.filter((stage) => stage.elsewhere)
  if (elsewhere.length > 0)
    lines.push({
      mark: '·',
      state: 'waiting',
      text: `${elsewhere.length <= NAMED ? titles(elsewhere) : elsewhere.length} · ${ELSEWHERE}`,
    })
  const waiting = stages.filter(({ state }) => state === 'waiting').length - elsewhere.length
  if (waiting > 0) lines.push({ mark: '·', state: 'waiting', text: `${waiting} waiting` })
  return lines
}

function titles(stages: readonly StageProgress[]): string {
  return stages.map(({ title }) => title).join(', ')
}

/** Returns a running stage's title and progress. */
export function stageText(stage: StageProgress, now: number): string {
  return [stage.title, ...progressParts(stage, now, true), ...retried(stage)].join('  ')
}

/** Returns the steps, the loss, the steps per second and the estimated time that is left. */
function progressParts(stage: StageProgress, now: number, withBar: boolean): string[] {
  const { step, steps, loss, startedAt } = stage
  if (step === undefined || steps === undefined || steps <= 0)
    return startedAt === undefined ? [] : [duration(Math.max(0, now - startedAt) / 1000)]
  const pace = paceOf(stage, now)
  return [
    ...(withBar ? [bar(step / steps)] : []),
    `${step}/${steps}`,
    ...(loss === undefined ? [] : [`loss ${loss.toPrecision(4)}`]),
    ...(pace ? [rateText(pace), `${duration(pace.secondsLeft)} left`] : []),
  ]
}

function retried({ error }: StageProgress): string[] {
  return error === undefined ? [] : [`(again after: ${joinLines(error)})`]
}

export function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR)
  return '█'.repeat(full) + '░'.repeat(BAR - full)
}

export function isDone({ state }: StageProgress): boolean {
  return state === 'computed' || state === 'cached'
}

/**
 * Returns lines for a log: one for each stage that began, ended, failed or was left to another run
 * between two moments and, if `report` is true, one for each running stage.
 */
export function changedRunLines(
  before: RunProgress | undefined,
  after: RunProgress,
  now: number,
  report: boolean,
): string[] {
  const earlier = new Map(before?.stages.map((stage) => [stage.key, stage]))
  return after.stages.flatMap((stage) => {
    const was = earlier.get(stage.key)
    if (stage.elsewhere) return was?.elsewhere ? [] : [`${stage.title}: ${ELSEWHERE}`]
    if (stage.state !== (was?.state ?? 'waiting')) return changeLine(stage)
    if (report && stage.state === 'running' && stage.step !== undefined)
      return [`${stage.title}: ${progressParts(stage, now, false).join('  ')}`]
    return []
  })
}

/** Converts the progress of a run to text. */
export const runWriter: Writer<RunProgress> = { render: renderProgress, changedLines: changedRunLines }

/**
 * Converts the progress of a run to text with the time that is left.
 *
 * @param seconds the estimated wall times in seconds, by the keys of stages; may be filled later
 */
export function runWriterWith(seconds: ReadonlyMap<string, number>): Writer<RunProgress> {
  return {
    ...runWriter,
    render(progress, width, now, colour) {
      const left = leftText(progress, seconds, now)
      const { bold } = createColors(colour)
      const line =
        left === undefined ? [] : [`  ${bold('time'.padEnd(NAME))}· ${clip(left, width - NAME - 4)}`]
      return [renderProgress(progress, width, now, colour), ...line].join('\n')
    },
  }
}

/** Returns the work that is left, or undefined if none is or if nothing is known of it. */
function leftText(
  progress: RunProgress,
  seconds: ReadonlyMap<string, number>,
  now: number,
): string | undefined {
  const left = remainingWork(progress, seconds, now)
  if (!left) return undefined
  const { unknown } = left
  const without =
    unknown > 0 ? `, without ${unknown} ${unknown === 1 ? 'stage' : 'stages'} of unknown length` : ''
  return `about ${duration(left.seconds)} of work left${without}`
}

function changeLine(stage: StageProgress): string[] {
  switch (stage.state) {
    case 'waiting':
      return []
    case 'running':
      return [
        `${stage.title} …${retried(stage)
          .map((text) => ` ${text}`)
          .join('')}`,
      ]
    case 'cached':
      return [`${stage.title}: cached`]
    case 'computed':
      return [`${stage.title}: done in ${duration(stage.seconds ?? 0)}`]
    case 'failed':
      return [`${stage.title}: failed: ${joinLines(stage.error ?? 'unknown')}`]
  }
}
