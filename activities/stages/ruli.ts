import { margins } from '../../unlearning/population/margin.ts'
import { ruli as attackVulnerable } from '../../unlearning/population/ruli.ts'
import { poolAt } from '../../unlearning/population/shadows.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readPool, readSplit } from '../runtime/blob-codecs.ts'

export const ruli: StageBody<'ruli'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const split = await readSplit(artifacts, inputs.split)
  const logits = await readLogits(artifacts, inputs.evaluation)
  const shadows = await readPool(artifacts, inputs.pool)
  // Only shadow models trained on test samples. If whole classes are forgotten, test samples of
  // other classes would be recognised by their class alone.
  const others =
    inputs.split.metrics.forgottenClasses.length > 0
      ? (['forgottenTest'] as const)
      : (['attackTest', 'test'] as const)
  const sets = ['forget', ...others] as const
  const { result, seconds } = await timed(() => {
    const indices = Int32Array.from(sets.flatMap((set) => [...split[set]]))
    const target = Float64Array.from(sets.flatMap((set) => [...margins(logits[set])]))
    const all = { target, shadow: poolAt(shadows, indices), members: split.forget.length }
    return attackVulnerable(all, stage.params.ruli.select, () => host.step({}))
  })
  return { outputs: {}, metrics: result, seconds }
}
