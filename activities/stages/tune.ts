import type { ManifestOf } from '../../experiment/records/manifest.ts'
import { ranked } from '../../unlearning/tuning/rank.ts'
import type { StageBody } from '../runtime/stage.ts'

export const tune: StageBody<'tune'> = async ({ inputs, timed }) => {
  const { tuned, ...trials } = inputs
  const tried = Object.keys(trials).map((_, i) => trials[`trial${i + 1}`] as ManifestOf<'trial'>)
  const { result, seconds } = await timed(() =>
    ranked(
      tuned?.metrics.ranking ??
        tried.map(({ params }, variant) => ({ variant, method: params.method, gaps: [] })),
      tried.map(({ metrics }) => metrics.gap),
    ),
  )
  return { outputs: {}, metrics: { ranking: result }, seconds }
}
