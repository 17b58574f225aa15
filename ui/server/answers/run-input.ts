import { manifestsOf } from '../../../activities/report.ts'
import { digestOf } from '../../../common/canonical.ts'
import { manifestDigest } from '../../../experiment/records/manifest.ts'
import type { ReportInput } from '../../../report/report.ts'
import { cached, type AnswerContext } from './context.ts'
import { runRecord } from './stored-record.ts'

/** A run with its finished stages, and a digest of these for the keys of computed answers. */
export async function runInput(
  { artifacts }: AnswerContext,
  id: string,
): Promise<{ readonly input: ReportInput; readonly digest: string }> {
  const run = await runRecord(artifacts, id)
  const manifests = await manifestsOf(artifacts, run)
  const digest = digestOf([id, Object.values(manifests).map(manifestDigest).sort()])
  return { input: { run, manifests, failed: run.failed ?? [] }, digest }
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
