import { createColors } from 'picocolors'
import type { ShownValue } from '../../experiment/sweep/comparison.ts'
import type { RunProgress } from '../../experiment/records/run.ts'
import type { SweepProgress, SweepRecord } from '../../experiment/sweep/sweep.ts'
import { clip, counted, duration, joinLines } from './format.ts'
import type { Writer } from './follow.ts'
import { bar, isDone, stageText } from './render-run.ts'
import type { SeenWorker, SweepView } from './sweep-progress.ts'

/** The progress of a sweep as text. All functions are pure: the time is an argument. */

const NAME = 10
/** A worker that has not asked for tasks for this long counts as absent. */
const AWAY_MS = 90_000
const MOST_FAILURES = 5

/** Returns the writer of a sweep's progress. `columns` and `cells` give the names of the cells. */
export function sweepWriter({ columns, cells }: Pick<SweepRecord, 'columns' | 'cells'>): Writer<SweepView> {
  const nameOf = (cell: number) => {
    const values = cells[cell]?.values ?? []
    const parts = columns.map(({ name }, i) => `${name} ${valueText(values[i] ?? null)}`)
    return parts.length > 0 ? parts.join(', ') : `cell ${cell + 1}`
  }
  return {
    render: (view, width, now, colour) => render(view, nameOf, width, now, colour),
    changedLines: (before, after, now, report) => changedLines(before, after, nameOf, now, report),
  }
}

type NameOf = (cell: number) => string

function render(
  { sweep, runs, workers }: SweepView,
  nameOf: NameOf,
  width: number,
  now: number,
  colour: boolean,
): string {
  const { bold, cyan, dim, green, red } = createColors(colour)
  const line = (name: string, mark: string, text: string, style: (text: string) => string = String) =>
    `  ${bold(name.padEnd(NAME))}${mark} ${style(clip(text, width - NAME - 4))}`
  const head = [sweep.id, `${sweep.maxParallel} at a time`, ...(sweep.paused ? ['paused'] : [])].join(' · ')
  const failed = sweep.failures.length
  const over = sweep.done + failed + sweep.stopped
  const waiting = sweep.cells - over - new Set(sweep.running.map(({ cell }) => cell)).size
  const more = sweep.running.length - runs.length
  return [
    clip(head, width),
    line('cells', green('✓'), `${bar(over / Math.max(1, sweep.cells))}  ${counts(sweep)}`),
    ...runs.map(({ cell, rung, progress }, i) =>
      line(
        i === 0 ? 'running' : '',
        cyan('›'),
        `${nameOf(cell)}${rungText(sweep, rung)}${progress ? `  ${runText(progress, now)}` : ''}`,
      ),
    ),
    ...(more > 0 ? [line('', cyan('›'), `and ${more} more`)] : []),
    ...(waiting > 0 ? [line('', dim('·'), `${waiting} waiting`, dim)] : []),
    ...sweep.failures
      .slice(-MOST_FAILURES)
      .map(({ cell, reason }, i) =>
        line(i === 0 ? 'failed' : '', red('✗'), `${nameOf(cell)}: ${joinLines(reason)}`),
      ),
    ...(failed > MOST_FAILURES ? [line('', red('✗'), `and ${failed - MOST_FAILURES} before`)] : []),
    line('time', dim('·'), timeText(sweep, now)),
    line('workers', dim('·'), workersText(workers, now)),
  ].join('\n')
}

function counts({ cells, done, cached, incomplete, stopped, failures }: SweepProgress): string {
  return [
    `${done} of ${cells} done`,
    ...(cached > 0 ? [`${cached} cached`] : []),
    ...(incomplete > 0 ? [`${incomplete} without some stages, which failed`] : []),
    ...(stopped > 0 ? [`${stopped} stopped early`] : []),
    ...(failures.length > 0 ? [`${failures.length} failed`] : []),
  ].join(' · ')
}

function rungText({ rungs }: SweepProgress, rung: number): string {
  return rungs > 1 ? `, rung ${rung + 1} of ${rungs}` : ''
}

/** Returns the stage that a run computes, and the run's progress. */
function runText({ stages, paused }: RunProgress, now: number): string {
  const done = stages.filter(isDone).length
  const share = `${done}/${stages.length} stages`
  if (paused) return `${share}, paused`
  const running = stages.filter(({ state }) => state === 'running')
  const [first] = [...running].sort((a, b) => Number(b.step !== undefined) - Number(a.step !== undefined))
  if (!first) return share
  return `${share}  ${stageText(first, now)}${running.length > 1 ? `  and ${running.length - 1} more` : ''}`
}

/** Returns the elapsed time, and the time that is left at the same rate. */
function timeText({ cells, done, cached, stopped, failures, startedAt }: SweepProgress, now: number): string {
  const seconds = Math.max(0, now - startedAt) / 1000
  const computed = done - cached + failures.length
  const left = cells - done - failures.length - stopped
  const soFar = `${duration(seconds)} so far`
  if (left === 0 || computed <= 0 || seconds <= 0) return soFar
  const perMinute = (60 * computed) / seconds
  const rate = `${perMinute < 10 ? perMinute.toFixed(1) : perMinute.toFixed(0)} cells a minute`
  return `${soFar} · ${rate} · about ${duration((left * seconds) / computed)} left`
}

function workersText(workers: readonly SeenWorker[], now: number): string {
  const here = workers.filter(({ seenAt }) => now - seenAt < AWAY_MS)
  if (here.length === 0) return 'none seen'
  const training = here.filter(({ queues }) => queues.includes('zeroshift-train')).length
  const names = here.map(
    ({ identity, seenAt }) => `${identity} (${duration(Math.max(0, now - seenAt) / 1000)} ago)`,
  )
  return `${counted(here.length, 'worker')}, ${training} of them training: ${names.join(', ')}`
}

function valueText(value: ShownValue): string {
  return value === null ? '–' : String(value)
}

/**
 * Returns lines for a log: one for each cell that began or failed, one for a change of the number
 * of completed cells and, if `report` is true, all counts and running cells.
 */
function changedLines(
  before: SweepView | undefined,
  { sweep, runs }: SweepView,
  nameOf: NameOf,
  now: number,
  report: boolean,
): string[] {
  const known = new Set(before?.sweep.running.map(({ run }) => run))
  const failed = before?.sweep.failures.length ?? 0
  const isChanged = before !== undefined && sweep.done !== before.sweep.done
  return [
    ...sweep.running
      .filter(({ run }) => !known.has(run))
      .map(({ cell, rung }) => `${nameOf(cell)}${rungText(sweep, rung)} …`),
    ...(failed < sweep.failures.length
      ? sweep.failures
          .slice(failed)
          .map(({ cell, reason }) => `${nameOf(cell)}: failed: ${joinLines(reason)}`)
      : []),
    ...(isChanged || report ? [`${counts(sweep)} · ${timeText(sweep, now)}`] : []),
    ...(report
      ? runs.flatMap(({ cell, progress }) => (progress ? [`${nameOf(cell)}: ${runText(progress, now)}`] : []))
      : []),
  ]
}
