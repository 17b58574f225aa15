import {
  classifierNames,
  scoreDefinitions,
  scoreNames,
  type ClassifierName,
} from '../../experiment/records/scores.ts'
import { ranges, type Figure } from '../../experiment/records/results.ts'
import { figureCell, prose, type FullCell } from '../blocks.ts'
import { percent, withInterval } from '../format.ts'
import {
  manifestOf,
  modelsBehind,
  stagesBehind,
  whyMissing,
  type ReportInput,
  type RowModels,
} from '../input.ts'
import { attackAtChance } from '../marks.ts'
import { overSeeds } from '../over-seeds.ts'
import { modelTable } from './model-rows.ts'
import type { StageSection } from './stage-section.ts'

const titles: Readonly<Record<ClassifierName, string>> = {
  svm: 'Support-vector classifier (RBF)',
  logistic: 'Logistic regression',
}

/** Membership inference: the efficacy of each attack against each model. */
export const attacks: StageSection = {
  title: 'Membership inference',
  about: 'every attack on outputs, with its own accuracy',
  blocks: (input) => {
    const { plan, spec } = input.run
    const scores = [
      ...scoreNames.map((name) => ({ name, label: scoreDefinitions[name].label })),
      ...(spec.attack.scores ?? []).map(({ label }) => ({ name: label, label })),
    ]
    const rows = modelsBehind(plan).map((models, i) => ({
      label: models[0]?.candidate.label ?? '',
      isFloor: i >= plan.candidates.length,
      models,
    }))
    const columns = classifierNames.flatMap((classifier) =>
      scores.map(({ name, label }, i) => ({
        label,
        group: titles[classifier],
        split: i === 0,
        of: ({ models }: { readonly models: RowModels }) => cellOf(input, models, classifier, name),
      })),
    )
    return [
      prose(
        "An attack learns, on one score of the model's output, to tell D_r (members) from half of D_t (non-members). The figure is its efficacy: the percentage of D_f that it calls non-members. The second figure is the attack's own balanced accuracy on samples that did not train it, 50 being a coin toss. Where its 95% interval includes 50, both are grey: what such an attack says is noise. MIA above is the support-vector classifier on confidence.",
      ),
      modelTable('Membership inference', 'attacks', rows, columns),
    ]
  },
}

function cellOf(input: ReportInput, models: RowModels, classifier: ClassifierName, score: string): FullCell {
  const figure = (of: 'efficacy' | 'accuracy'): Figure =>
    overSeeds(
      models.map(({ seed, candidate }) => {
        const metrics = manifestOf<'attack'>(input, candidate.attack)?.metrics
        return (
          metrics?.[of][classifier][score] ?? { missing: whyMissing(input, stagesBehind(seed, candidate)) }
        )
      }),
      ranges.percent,
    )
  const accuracy = figure('accuracy')
  const cell = figureCell(figure('efficacy'), percent)
  return {
    ...cell,
    beside: 'value' in accuracy ? withInterval(accuracy, percent) : undefined,
    note: cell.note ?? figureCell(accuracy, percent).note,
    tone: attackAtChance(input, models, classifier, score) ? 'faint' : undefined,
  }
}
