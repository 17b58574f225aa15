import { join } from 'node:path'
import type { Figure, ResultRow } from '../../experiment/records/results.ts'
import type { RunInput, RunResult } from '../../experiment/records/run.ts'
import { oneLine } from '../../common/terminal-text.ts'
import { quoted } from '../../report/command.ts'
import { renderTable } from '../../report/table.ts'
import { counted, duration } from './format.ts'
import { storeFor } from '../workspace/workspace.ts'
import { coloursOf, isColoured, printError, whereOf } from './print.ts'
import type { Answer, Output } from './output.ts'

/** How a run ended, for people and for programs. */

export function completed(result: RunResult, { out, say, seconds, answer }: Output): number {
  const { id, computed, cached, stageSeconds, report, digest, results, failed, notes } = result
  const { red, yellow } = coloursOf(out)
  say('')
  say(renderTable(results, { colour: isColoured(out) }))
  for (const { title, reason } of failed) say(red(`${oneLine(title)} failed: ${reason}`))
  for (const note of notes) say(yellow(note))
  say('')
  say(`Report: ${join(whereOf(report), 'index.html')}`)
  const work = computed > 0 ? ` in ${duration(stageSeconds)} of work` : ''
  say(
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

export function failed(input: RunInput, reason: string, { answer }: Output): number {
  const { red } = coloursOf(process.stderr)
  printError(red(`${input.run.id} failed: ${reason}`))
  printError(`What is done is kept. Once that is put right: ${resumption(input)}`)
  return answer(1, { id: input.run.id, status: 'failed', error: reason })
}

export function cancelled(input: RunInput, { say, answer }: Output): number {
  say(`${input.run.id} was stopped. What is done is kept. To go on: ${resumption(input)}`)
  return answer(1, { id: input.run.id, status: 'cancelled' })
}

/** The command that goes on with a run; it names the store where that is not the one that it would look into. */
function resumption({ run, settings }: RunInput): string {
  const store = settings.store === storeFor() ? '' : ` --store ${quoted(whereOf(settings.store))}`
  return `./zeroshift resume ${run.id}${store}`
}

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
