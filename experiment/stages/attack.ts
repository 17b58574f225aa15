import { counted } from '../../common/counted.ts'
import type { Measured } from '../records/measured.ts'
import type { AttackCurve } from '../records/outcomes.ts'
import { metricColumns } from '../records/results.ts'
import {
  classifierNames,
  scoreDefinitions,
  scoreNames,
  type ClassifierName,
  type ScoreName,
} from '../records/scores.ts'
import type { PluginScore } from '../spec/score.ts'
import { defineStage } from './definition.ts'

/** A figure of an attack: its efficacy on D_f, or its own accuracy. */
const attackFigures = {
  efficacy: {
    about: (classifier: ClassifierName, score: ScoreName) =>
      `${metricColumns.mia.about}, by ${classifier} on ${score}`,
    formula: '100 · mean over x ∈ D_f of [a(s(x)) < 0]',
  },
  accuracy: {
    about: (classifier: ClassifierName, score: ScoreName) =>
      `balanced accuracy of the attack by ${classifier} on ${score}, on samples that did not train it`,
    formula: '(% of members with a(s) ≥ 0 + % of non-members with a(s) < 0) / 2',
  },
} as const

const classifierFormulas: Readonly<Record<ClassifierName, string>> = {
  svm: 'support-vector classifier, kernel exp(−(s − s′)²), C = 3',
  logistic: 'logistic regression on the standardised s, C = 1',
}

/** Attacks one model by membership inference, from its logits. */
export const attack = defineStage<{
  readonly params: {
    /** At most so many members, and as many non-members, train an attack. */
    readonly samples: number
    readonly seed: number
    /** Scores of plug-ins, besides the built-in ones. Absent if there are none. */
    readonly scores?: readonly PluginScore[]
  }
  readonly inputs: { readonly split: 'split'; readonly evaluation: 'evaluate' }
  readonly metrics: {
    /**
     * Percent of the forget set that the attack calls non-members, by classifier and score. Scores
     * of plug-ins have their labels as names.
     */
    readonly efficacy: ByAttack
    /**
     * The attack's own balanced accuracy in percent, on members and non-members that did not train
     * it, by classifier and score.
     */
    readonly accuracy: ByAttack
    readonly members: number
    readonly nonMembers: number
    /**
     * The ROC curves of the scores of plug-ins on the forget set, by label. Absent if there are no
     * such scores.
     */
    readonly curves?: Readonly<Record<string, AttackCurve | { readonly missing: string }>>
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'attacks',
  about: 'membership inference from these logits',
  work: ({ members, nonMembers }) => `${counted(members, 'member')}, ${counted(nonMembers, 'non-member')}`,
  figures: {
    heading: 'Membership-inference attacks on outputs',
    introduction: `A classifier a is trained on one number s(x) of a sample to tell members (samples of _D_r_) from non-members (one half of _D_t_), as many of each. It answers
at least 0 for a member. \`efficacy\` is MIA-efficacy; the table shows that of \`svm\` on \`confidence\`. \`accuracy\` is the attack's own: below or near 50% its
efficacy means nothing.`,
    list: (['efficacy', 'accuracy'] as const).flatMap((figure) =>
      classifierNames.flatMap((classifier) =>
        scoreNames.map((score) => ({
          name: `${figure}.${classifier}.${score}`,
          unit: '%',
          about: attackFigures[figure].about(classifier, score),
          formula: `${attackFigures[figure].formula}, s = ${scoreDefinitions[score].formula}, a = ${classifierFormulas[classifier]}`,
          source: scoreDefinitions[score].source,
        })),
      ),
    ),
  },
})

type ByAttack = Readonly<
  Record<ClassifierName, Readonly<Record<ScoreName, Measured>> & Readonly<Record<string, Measured>>>
>
