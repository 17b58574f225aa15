import { forgetSize, setSizes } from '../spec/sets.ts'
import { shareUnread } from './replay-cost.ts'
import type { Plan } from './types.ts'

/** What a deletion by a row of `sisa` costs, before anything is computed. */
export interface SisaCost {
  readonly label: string
  readonly shards: number
  readonly slices: number
  /**
   * The share of the reads of samples that a deletion is expected to repeat: for as many samples as
   * the experiment forgets (absent if their number is not known yet), and for one sample. Samples
   * are divided among shards and slices at random.
   */
  readonly expectedShare: { readonly forgetSet?: number; readonly oneSample: number }
}

/**
 * The epochs of each of R trainings of a shard's model, on 1, 2, …, R slices. All of them together
 * read as many samples as a training of E epochs on the shard: E = e · Σ_r r/R (Bourtoule et al.
 * 2021).
 */
export function sliceEpochs(epochs: number, slices: number): number {
  return (2 * epochs) / (slices + 1)
}

/** The expected costs of all rows of `sisa`. */
export function sisaCosts(plan: Plan): readonly SisaCost[] {
  const { data, facts } = plan.dataset.params
  const samples = setSizes(data, facts).train
  const forgotten = forgetSize(plan.split.params.split, data, facts)
  return plan.candidates.flatMap(({ label, unlearn }) => {
    const { params } = unlearn ?? {}
    if (params === undefined || !('method' in params) || params.method.method !== 'sisa') return []
    const { shards, slices } = params.method
    const share = (count: number) => repeatedShare(count, samples, shards, slices)
    const forgetSet = forgotten === undefined ? {} : { forgetSet: share(forgotten) }
    return [{ label, shards, slices, expectedShare: { ...forgetSet, oneSample: share(1) } }]
  })
}

/**
 * The expected share of reads that `count` random deletions repeat. The training on r slices reads
 * r parts of the shard, and is repeated unless all forgotten samples are elsewhere.
 */
function repeatedShare(count: number, samples: number, shards: number, slices: number): number {
  const size = samples / (shards * slices)
  const parts = Array.from({ length: slices }, (_, i) => i + 1)
  const repeated = parts.reduce((sum, r) => sum + r * (1 - shareUnread(count, samples, r * size)), 0)
  return repeated / parts.reduce((sum, r) => sum + r, 0)
}
