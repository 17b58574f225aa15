import { metricList, type MetricLine } from '../../experiment/records/metric-list.ts'
import { metricColumns } from '../../experiment/records/results.ts'
import { settingsByKind, stageKinds } from '../../experiment/stages/stage.ts'
import { code, plain, table } from './markdown.ts'

/** docs/reference/metrics.md: the formula and the source of every figure. */
export function metricsPage(): string {
  const ofStages = stageKinds.flatMap((kind) => {
    const { figures } = settingsByKind[kind]
    return figures ? section(kind, figures.heading, figures.introduction) : []
  })
  return [INTRODUCTION, ...section('table', 'Table of results', TABLE), ...ofStages, SOURCES].join('\n\n')
}

function section(place: MetricLine['in'], heading: string, introduction: string): readonly string[] {
  const lines = metricList.filter((line) => line.in === place)
  return [
    `## ${heading}`,
    introduction,
    table(
      ['figure', 'meaning and source', 'formula'],
      lines.map((line) => [nameOf(line), meaningOf(line), code(line.formula)]),
    ),
  ]
}

/**
 * Meaning, unit and source. The label of a column of the table stands beside it and is left out.
 */
function meaningOf({ in: place, about, unit, source }: MetricLine): string {
  const meaning = place === 'table' ? about.replace(/^[^:]+: /, '') : about
  return `${plain(meaning)}${unit === '' ? '' : ` (${unit})`}<br>_${plain(source)}_`
}

/** The label that tables show, with the name in JSON and MLflow below it. */
function nameOf({ in: place, name }: MetricLine): string {
  const column = Object.entries(metricColumns).find(([key]) => place === 'table' && key === name)
  return column ? `**${column[1].label}**<br>${code(name)}` : code(name)
}

const TABLE = `**Read MIA only where the attack beats chance.** A table marks an attack at chance with †: the 95% interval of its own balanced accuracy
includes 50%, so that MIA is noise. _Gap w/o MIA_ is the gap that does not depend on an attack.

**Val. gap** is for choosing options: it uses neither gold nor test samples. FA_unseen is the accuracy that the model would have on _D_f_ if it had
seen no sample of it: for each class of _D_f_ the accuracy on validation samples of this class, and 0 for classes without validation samples.

**RTE** depends on the machine, and is relative to retraining; publications also give it as an absolute time. Seconds are wall seconds of the work itself, preparation included, without reading and writing the store. The section
_Cost_ of a report has the steps and the samples seen beside it, which do not depend on the machine.`

const INTRODUCTION = `# Metrics

\`./zeroshift metrics\` prints the list of figures. A figure that cannot be computed is shown as missing, with its reason, and never as 0.

Notation: _D_f_ is the forget set, _D_r_ the retained set, _D_t_ the test set. z are logits, p = softmax(z) of the evaluated model, q that of gold, and y
the true class. φ = log(p_y / (1 − p_y)) is the margin of a sample. \\[…\\] is 1 if the statement is true and else 0. Δ is the difference of a figure to
that of the gold model of the same seed. An index o stands for the original model, g for gold and u for unlearned models. FA is the accuracy on _D_f_, VA that on validation
samples. N is the normal density, KL the Kullback-Leibler divergence. JS is in bits, KLoM in nats.

Several seeds: every figure is the mean over the seeds with its 95% interval (Student's t).`

const SOURCES = `## Sources

| short name                | publication                                                                                                  |
| ------------------------- | ------------------------------------------------------------------------------------------------------------ |
| Alain and Bengio 2016     | Understanding intermediate layers using linear classifier probes                                             |
| Carlini et al. 2022       | Membership inference attacks from first principles                                                           |
| Chundawat et al. 2023     | Can bad teaching induce forgetting?; Zero-shot machine unlearning                                            |
| Ding et al. 2021          | Grounding representation similarity through statistical testing (NeurIPS)                                                  |
| Fan et al. 2024           | SalUn: empowering machine unlearning via gradient-based weight saliency                                      |
| Georgiev et al. 2024      | Attribute-to-delete: machine unlearning via datamodel matching                                               |
| Golatkar et al. 2021      | Mixed-privacy forgetting in deep networks (CVPR)                                                                    |
| Hayes et al. 2024         | Inexact unlearning needs more careful evaluations to avoid a false sense of privacy                          |
| Jia et al. 2023           | Model sparsity can simplify machine unlearning (NeurIPS)                                                               |
| Kornblith et al. 2019     | Similarity of neural network representations revisited                                                       |
| Lee and Verleysen 2009    | Quality assessment of dimensionality reduction: rank-based criteria (Neurocomputing 72(7–9)) |
| Lin 1991                  | Divergence measures based on the Shannon entropy (IEEE Transactions on Information Theory 37(1))                                                             |
| Naderloui et al. 2025     | Rectifying privacy and efficacy measurements in machine unlearning: a new inference attack perspective (USENIX Security)                                                  |
| Pearson 1901              | On lines and planes of closest fit to systems of points in space (Philosophical Magazine 2(11)) |
| Song and Mittal 2021      | Systematic evaluation of privacy risks of machine learning models                                            |
| Spearman 1904             | The proof and measurement of association between two things (American Journal of Psychology 15(1))                                                  |
| Tarun et al. 2023         | Fast yet effective machine unlearning                                                                        |
| Triantafillou et al. 2024 | Are we making progress in unlearning? Findings from the first NeurIPS unlearning competition                 |
| Yeom et al. 2018          | Privacy risk in machine learning: analyzing the connection to overfitting (CSF)                                    |
| Zarifzadeh et al. 2024    | Low-cost high-power membership inference attacks                                                             |
| Zhao et al. 2024          | What makes unlearning hard and what to do about it                                                           |

[How a report evaluates a method](../concepts/verdicts.md) uses these figures in tests beside another gold model.`
