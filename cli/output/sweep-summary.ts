import { join } from 'node:path'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import type { Comparison } from '../../experiment/sweep/comparison.ts'
import type { SweepInput, SweepResult } from '../../experiment/sweep/sweep.ts'
import type { Outcome } from '../launch/watch-workflow.ts'
import { errorReason } from '../server/unwrap-error.ts'
import { counted, duration } from './format.ts'
import type { Output } from './output.ts'
import { coloursOf, printError, pathOrUrl } from './print.ts'
import { resumeCommand } from './resume-command.ts'

/** Prints how a sweep ended, and its results. Returns the exit code. */
export async function summariseSweep(
  { id, store }: SweepInput,
  outcome: Outcome<SweepResult>,
  output: Output,
): Promise<number> {
  const { printLine } = output
  switch (outcome.status) {
    case 'completed': {
      const comparison = await readComparison(id, store)
      if ('reason' in comparison) return summariseFailure(id, store, comparison.reason, output)
      return summariseResult(outcome.result, comparison.read, outcome.notes, store, output)
    }
    case 'cancelled':
      for (const note of outcome.notes) printLine(note)
      printLine(`${id} was stopped. What is done is kept. To go on: ${resumeCommand(id, store)}`)
      return output.answer(1, { id, status: 'cancelled' })
    case 'failed':
      for (const note of outcome.notes) printLine(note)
      return summariseFailure(id, store, outcome.reason, output)
  }
}

function summariseFailure(id: string, store: string, reason: string, { answer }: Output): number {
  printError(coloursOf(process.stderr).red(`${id} failed: ${reason}`))
  printError(`What is done is kept. Once that is put right: ${resumeCommand(id, store)} --failed`)
  return answer(1, { id, status: 'failed', error: reason })
}

/**
 * Reads the comparison of a sweep, or returns the reason why the store cannot be read: the workers
 * may reach a store that this machine does not.
 */
async function readComparison(
  id: string,
  store: string,
): Promise<{ readonly read: Comparison | undefined } | { readonly reason: string }> {
  const { comparisonOf } = await import('../../activities/comparison.ts')
  try {
    const artifacts = openArtifacts(store)
    const record = await artifacts.sweep(id)
    return { read: record && (await comparisonOf(artifacts, record)) }
  } catch (error) {
    return { reason: errorReason(error) }
  }
}

async function summariseResult(
  { id, report, digest, ...counts }: SweepResult,
  comparison: Comparison | undefined,
  notes: readonly string[],
  store: string,
  { out, printLine, seconds, answer }: Output,
): Promise<number> {
  const { comparisonLines } = await import('./comparison-lines.ts')
  const colours = coloursOf(out)
  printLine('')
  if (comparison) for (const line of comparisonLines(comparison, colours)) printLine(line)
  for (const note of notes) printLine(colours.yellow(note))
  const { cells, done, cached, incomplete, stopped, failures } = counts
  const parts = [
    `${done} of ${counted(cells, 'cell')} done`,
    `${cached} of them cached`,
    ...(incomplete > 0 ? [`${incomplete} without some stages, which failed`] : []),
    ...(stopped > 0 ? [`${stopped} stopped early`] : []),
    ...(failures.length > 0 ? [colours.red(`${failures.length} failed`)] : []),
  ]
  printLine('')
  printLine(`Report: ${join(pathOrUrl(report), 'index.html')}`)
  printLine(`${parts.join(', ')}. ${duration(seconds())} in all.`)
  if (incomplete + failures.length > 0)
    printLine(`To try again what failed: ${resumeCommand(id, store)} --failed`)
  return answer(failures.length > 0 ? 1 : 0, {
    id,
    status: 'completed',
    report,
    digest,
    cells: counts,
    notes,
  })
}
