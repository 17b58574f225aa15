import type { EvaluatedSet, Measured } from '../../experiment/records/measured.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { tooFewFor, type PopulationFigure } from '../../experiment/plan/population.ts'
import {
  forgettingQuality,
  type ForgettingQuality,
  type Utility,
} from '../../unlearning/population/forgetting-quality.ts'
import { klom, type Klom } from '../../unlearning/population/klom.ts'
import { margins } from '../../unlearning/population/margin.ts'
import { poolOf, type Margins } from '../../unlearning/population/pool.ts'
import { uLira } from '../../unlearning/population/u-lira.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'

const sets = ['forget', 'retained', 'test'] as const
type Set = (typeof sets)[number]

export const population: StageBody<'population'> = async ({ artifacts, inputs, host, timed }) => {
  const models = Object.keys(inputs).length / 2
  const ofAll = (kind: 'unlearned' | 'gold') =>
    Array.from({ length: models }, (_, i) => inputs[`${kind}${i + 1}`] as ManifestOf<'evaluate'>)
  const manifests = { unlearned: ofAll('unlearned'), gold: ofAll('gold') }
  const read = async (evaluations: readonly ManifestOf<'evaluate'>[]) => {
    const read: Record<Set, Float64Array>[] = []
    // The evaluations are read one after the other: the logits of all of them would fill the
    // memory.
    for (const evaluation of evaluations) {
      const logits = await readLogits(artifacts, evaluation)
      read.push({
        forget: margins(logits.forget),
        retained: margins(logits.retained),
        test: margins(logits.test),
      })
      await host.step({})
    }
    return Object.fromEntries(
      sets.map((set) => [set, joined(read.map((one) => one[set]))]),
    ) as unknown as Record<Set, Margins>
  }
  const tooFew = (figure: PopulationFigure): Measured | undefined => {
    const missing = tooFewFor(figure, models)
    return missing === undefined ? undefined : { missing }
  }
  const { result, seconds } = await timed(async () => {
    const unlearned = await read(manifests.unlearned)
    const gold = await read(manifests.gold)
    const yieldControl = () => host.step({})
    const klomOf = async (set: Set): Promise<Klom> => {
      const missing = tooFew('klom')
      if (missing) return { mean: missing, percentile95: missing }
      await yieldControl()
      return klom(unlearned[set], gold[set])
    }
    const uLiraOf = async (): Promise<Pick<StageMetrics['population'], 'uLira' | 'uLiraBySeed'>> => {
      const missing = tooFew('uLira')
      if (missing) return { uLira: missing }
      const found = await uLira(poolOf(unlearned.forget, gold.forget), yieldControl)
      if ('missing' in found) return { uLira: found }
      const { value, interval, inside, outside } = found
      const uLiraBySeed = inside.map((accuracy, seed) => (accuracy + (outside[seed] ?? NaN)) / 2)
      return { uLira: { value, interval }, uLiraBySeed }
    }
    const forgettingOf = async (): Promise<ForgettingQuality> => {
      const missing = tooFew('forgettingQuality')
      if (missing) return { forgetting: missing, score: missing }
      const utilities = { unlearned: utility(manifests.unlearned), gold: utility(manifests.gold) }
      return forgettingQuality(unlearned.forget, gold.forget, utilities, yieldControl)
    }
    return {
      models,
      ...(await uLiraOf()),
      klom: {
        forget: await klomOf('forget'),
        retained: await klomOf('retained'),
        test: await klomOf('test'),
      },
      forgettingQuality: await forgettingOf(),
    }
  })
  return { outputs: {}, metrics: result, seconds }
}

/** Joins the margins φ of several models on the same samples. */
function joined(models: readonly Float64Array[]): Margins {
  const samples = models[0]?.length ?? 0
  const values = new Float64Array(models.length * samples)
  models.forEach((phi, i) => {
    values.set(phi, i * samples)
  })
  return { values, models: models.length, samples }
}

/** The mean RA and TA of several models. */
function utility(evaluations: readonly ManifestOf<'evaluate'>[]): Utility {
  const mean = (set: EvaluatedSet): Measured => {
    const accuracies = evaluations.map(({ metrics }) => metrics.accuracy[set])
    const missing = accuracies.find((accuracy) => 'missing' in accuracy)
    if (missing) return missing
    const sum = accuracies.reduce((total, accuracy) => total + ('value' in accuracy ? accuracy.value : 0), 0)
    return { value: sum / accuracies.length }
  }
  return { ra: mean('retained'), ta: mean('test') }
}
