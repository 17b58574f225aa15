import { accuracyByEpoch } from '../../report/sections/accuracy-by-epoch.ts'
import { residualNorms } from '../../report/sections/residual-norms.ts'
import type { StageSection } from '../../report/sections/stage-section.ts'
import { stageSections } from '../../report/sections/stage-sections.ts'
import { table } from './markdown.ts'

type Row = readonly [title: string, about: string, needs: string]

function rowOf({ title, about, needs = '' }: StageSection): Row {
  return [title, about, needs]
}

/** The sections above those of stage kinds. */
const above: readonly Row[] = [
  ['Results', 'RA, UA, TA, MIA, gaps, distances to gold and cost of every model', ''],
  ['Against another gold model', 'each criterion with its interval and the verdict', 'at least 2 `seeds`'],
]

/** The sections below them. */
const below: readonly Row[] = [
  ['Accuracy by class', 'accuracy on the test samples of each class, beside gold', ''],
  ['Areas below the ROC curves', 'how well each attack ranks D_f above samples that no model saw', ''],
  ['Accuracy by class, drawn', 'the same as bars, with lines for gold', ''],
  ['Predicted classes', 'what each model predicts on D_f, and on test samples by class', ''],
  ['ROC curves of the attacks', 'the curves on logarithmic axes', ''],
  ['Margins of the forget set', 'histograms of the margins of D_f under each model and under gold', ''],
  ['Cost against gap', 'time relative to retraining against distance from gold', ''],
  ['Confidence in the true class', 'histograms on the retained, the forget and the test set', ''],
  ['Residuals of feature alignment', 'residuals on both sets over the steps', '`rfa` with steps'],
  rowOf(residualNorms),
  ['Training', 'the curves of all trainings', ''],
  rowOf(accuracyByEpoch),
  ['What was run', 'data, split, model, options and the command', ''],
  ['Stages', 'every stage with key, version, time, device and code', ''],
]

/** The table of docs/guides/reading-a-report.md: the sections of a report. */
export function sectionTable(): string {
  const ofStages = stageSections.map(rowOf)
  return table(['section', 'what it shows', 'needs'], [...above, ...ofStages, ...below])
}
