/**
 * The scores of attacks: the number s(x) of each sample that an attack sees
 * (unlearning/attacks/scores.ts). p is the softmax of the logits z, and y the label.
 */
export const scoreDefinitions = {
  correctness: {
    label: 'correct',
    formula: '[argmax_k z_k = y]',
    source: 'Yeom et al. 2018 (bounded loss, here 0 or 1)',
  },
  confidence: { label: 'confid.', formula: 'p_y', source: 'Song and Mittal 2021' },
  entropy: { label: 'entropy', formula: '−Σ_k p_k log p_k', source: 'Song and Mittal 2021' },
  'modified-entropy': {
    label: 'mod. entr.',
    formula: '−(1 − p_y) log p_y − Σ_{k≠y} p_k log(1 − p_k)',
    source: 'Song and Mittal 2021',
  },
  loss: { label: 'loss', formula: '−log p_y', source: 'Yeom et al. 2018 (loss threshold)' },
} as const satisfies Readonly<Record<string, ScoreDefinition>>

interface ScoreDefinition {
  /** The column of the report. */
  readonly label: string
  readonly formula: string
  readonly source: string
}

export type ScoreName = keyof typeof scoreDefinitions
export const scoreNames = Object.keys(scoreDefinitions) as readonly ScoreName[]

/** The classifiers that attacks are (unlearning/attacks/mia-efficacy.ts). */
export const classifierNames = ['svm', 'logistic'] as const
export type ClassifierName = (typeof classifierNames)[number]
