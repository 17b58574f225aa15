import { join } from 'node:path'
import type { Figure, ResultRow } from '../../experiment/records/results.ts'
import type { RunInput, RunResult } from '../../experiment/records/run.ts'
import { oneLine } from '../../common/terminal-text.ts'
import { renderTable } from '../../report/table.ts'
import { counted, duration } from './format.ts'
import type { Outcome } from '../launch/watch-workflow.ts'
import { coloursOf, isColoured, printError, pathOrUrl } from './print.ts'
import type { Answer, Output } from './output.ts'
import { resumeCommand } from './resume-command.ts'

/** Prints how a run ended, and its results. Returns the exit code. */
export function summariseRun(input: RunInput, outcome: Outcome<RunResult>, output: Output): number {
  const { id } = input.run
  const { printLine, answer } = output
  switch (outcome.status) {
    case 'completed':
      return summariseResult(outcome.result, outcome.notes, output)
    case 'cancelled':
      for (const note of outcome.notes) printLine(note)
      printLine(`${id} was stopped. What is done is kept. To go on: ${resumption(input)}`)
      return answer(1, { id, status: 'cancelled' })
    case 'failed':
      for (const note of outcome.notes) printLine(note)
      printError(coloursOf(process.stderr).red(`${id} failed: ${outcome.reason}`))
      printError(`What is done is kept. Once that is put right: ${resumption(input)}`)
      return answer(1, { id, status: 'failed', error: outcome.reason })
  }
}

function summariseResult(
  { id, computed, cached, stageSeconds, report, digest, results, failed, ...result }: RunResult,
  trackingNotes: readonly string[],
  { out, printLine, seconds, answer }: Output,
): number {
  const notes = [...result.notes, ...trackingNotes]
  const { red, yellow } = coloursOf(out)
  printLine('')
  printLine(renderTable(results, { colour: isColoured(out) }))
  for (const { title, reason } of failed) printLine(red(`${oneLine(title)} failed: ${reason}`))
  for (const note of notes) printLine(yellow(note))
  printLine('')
  printLine(`Report: ${join(pathOrUrl(report), 'index.html')}`)
  const work = computed > 0 ? ` in ${duration(stageSeconds)} of work` : ''
  printLine(
    `${counted(computed + cached, 'stage')}: ${computed} computed${work}, ${cached} cached. ${duration(seconds())} in all.`,
  )
  const stages = { computed, cached }
  return answer(0, {
    id,
    status: 'completed',
    report,
    stages,
    results: results.map(figures),
    digest,
    failed,
    notes,
  })
}

function resumption({ run, settings }: RunInput): string {
  return resumeCommand(run.id, settings.store)
}

/** The results of one method for programs: a figure that is missing is null. */
function figures({ label, metrics }: ResultRow): Answer['results'][number] {
  const each = <T>(pick: (figure: Figure) => T) =>
    Object.fromEntries(Object.entries(metrics).map(([name, figure]) => [name, pick(figure)]))
  const several = Object.values(metrics).some((figure) => 'n' in figure)
  return {
    method: label,
    metrics: each((figure) => ('value' in figure ? figure.value : null)),
    ...(several && {
      intervals: each((figure) => ('value' in figure ? (figure.interval ?? figure.between ?? null) : null)),
      n: each((figure) => ('value' in figure ? (figure.n ?? 1) : 0)),
    }),
  }
}
