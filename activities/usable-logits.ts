import type { Artifacts } from '../artifacts/artifacts.ts'
import { BlobError } from '../artifacts/blobs/blob-errors.ts'
import type { SeedPlan } from '../experiment/plan/types.ts'
import { outcomeSets } from '../experiment/records/outcomes.ts'
import { manifestOf, whyMissing, type ReportInput } from '../report/input.ts'
import { makersOf, type EvaluatedModel } from '../report/sections/model-rows.ts'
import { unusable, type Logits } from '../unlearning/metrics/logits.ts'
import { readLogits } from './stages/logits.ts'

/** The most bytes of the logits of one model that are read for a page. */
const MOST_BYTES = 2 ** 30

/** The logits of a model, or the reason why they cannot be used. */
export async function usableLogits(
  artifacts: Artifacts,
  input: ReportInput,
  { seed, model }: { readonly seed: SeedPlan; readonly model: EvaluatedModel },
): Promise<Awaited<ReturnType<typeof readLogits>> | { readonly reason: string }> {
  const manifest = manifestOf<'evaluate'>(input, model.evaluate)
  if (!manifest) return { reason: whyMissing(input, [...makersOf(seed, model), model.evaluate]) }
  if (!manifest.outputs.logits) return { reason: 'its evaluation has left no logits' }
  if (manifest.outputs.logits.bytes > MOST_BYTES) return { reason: 'its logits are too many for a report' }
  try {
    const logits = await readLogits(artifacts, manifest)
    if (logits.forget.classes < 2) return { reason: 'the data have a single class' }
    const flaw = outcomeSets.map((set) => flawOf(logits[set])).find((reason) => reason !== undefined)
    return flaw === undefined ? logits : { reason: flaw }
  } catch (error) {
    if (error instanceof BlobError) return { reason: 'the store has no usable blob of its logits' }
    throw error
  }
}

/** The reason why the logits of a set cannot be used. An empty set can. */
function flawOf(logits: Logits): string | undefined {
  return logits.labels.length === 0 ? undefined : unusable(logits)
}
