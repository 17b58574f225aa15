import { manifestsOf } from '../../../activities/report.ts'
import type { Artifacts } from '../../../artifacts/artifacts.ts'
import { digestOf } from '../../../common/canonical.ts'
import { manifestDigest } from '../../../experiment/records/manifest.ts'
import type { RunProgress, RunRecord } from '../../../experiment/records/run.ts'
import type { ReportInput } from '../../../report/report.ts'
import { failedStages } from '../run-entry.ts'
import { cached, type AnswerContext, type StoredInput } from './context.ts'
import { runRecord } from './stored-record.ts'

type InputContext = Pick<AnswerContext, 'artifacts' | 'inputs'>

/** Reads a run with its finished stages, or returns it if the context keeps what was read. */
export function runInput({ artifacts, inputs }: InputContext, id: string): Promise<StoredInput> {
  const known = inputs?.get(id)
  if (known) return known
  const read = readInput(artifacts, id)
  inputs?.set(id, read)
  return read
}

async function readInput(artifacts: Artifacts, id: string): Promise<StoredInput> {
  const run = await runRecord(artifacts, id)
  const manifests = await manifestsOf(artifacts, run)
  const digest = digestOf([id, Object.values(manifests).map(manifestDigest).sort()])
  return { input: { run, manifests, failed: run.failed ?? [] }, digest }
}

/** The stages of a run that have failed until now, by its progress or, without one, its record. */
export function failuresOf(run: RunRecord, progress: RunProgress | undefined): ReportInput['failed'] {
  return progress ? failedStages(progress) : (run.failed ?? [])
}

/** Returns what is computed from a run, computed again only if its stages have changed. */
export async function fromRun<T>(
  context: AnswerContext,
  { name, run }: { readonly name: string; readonly run: string },
  compute: (input: ReportInput) => Promise<T>,
): Promise<T> {
  const { input, digest } = await runInput(context, run)
  return cached(context, `${name} ${digest}`, () => compute(input))
}
