import { evaluatedSets, type EvaluatedSet } from './manifest.ts'
import { metricColumns } from './results.ts'
import { classifierNames, scoreNames } from './spec.ts'

/** One figure that a run computes of each model. */
export interface MetricLine {
  /** As results call it, or as the manifest of its stage does. */
  readonly name: string
  /** Where it is kept: the results table, or the manifest of a stage of this kind. */
  readonly in: 'table' | 'evaluate' | 'attack' | 'population'
  readonly unit: string
  readonly about: string
}

const sets: Readonly<Record<EvaluatedSet, string>> = {
  retained: 'the retained set',
  forget: 'the forget set',
  validation: 'the validation samples',
  attackTest: 'the test samples that train attacks',
  test: 'the test samples that are scored',
  forgottenTest: 'the test samples of wholly forgotten classes',
}

const table = Object.entries(metricColumns).map(([name, { unit, label, about }]): MetricLine => ({
  name,
  in: 'table',
  unit,
  about: `${label}: ${about}`,
}))

const evaluated = evaluatedSets.map((set): MetricLine => ({
  name: `accuracy.${set}`,
  in: 'evaluate',
  unit: '%',
  about: `accuracy on ${sets[set]}`,
}))

const attacked = (['efficacy', 'accuracy'] as const).flatMap((figure) =>
  classifierNames.flatMap((classifier) =>
    scoreNames.map((score): MetricLine => ({
      name: `${figure}.${classifier}.${score}`,
      in: 'attack',
      unit: '%',
      about:
        figure === 'efficacy'
          ? `${metricColumns.mia.about}, by ${classifier} on ${score}`
          : `balanced accuracy of the attack by ${classifier} on ${score}, on samples that did not train it`,
    })),
  ),
)

const populations: readonly MetricLine[] = [
  {
    name: 'uLira',
    in: 'population',
    unit: '%',
    about: 'accuracy of telling unlearned models from gold by a forget sample (U-LiRA); 50 is gold',
  },
  ...(['forget', 'retained', 'test'] as const).map((set): MetricLine => ({
    name: `klom.${set}`,
    in: 'population',
    unit: 'nats',
    about: `divergence of margins to gold on ${sets[set]} (KLoM): mean and 95th percentile`,
  })),
  {
    name: 'forgettingQuality.forgetting',
    in: 'population',
    unit: '',
    about: 'forgetting quality of the NeurIPS 2023 challenge: 1 is gold',
  },
  {
    name: 'forgettingQuality.score',
    in: 'population',
    unit: '',
    about: 'the same times the ratios of RA and TA to gold',
  },
]

/** The results table's figures first, in its order; those of populations need several seeds. */
export const metricList: readonly MetricLine[] = [...table, ...evaluated, ...attacked, ...populations]
