import {
  isPluginAttack,
  pluginLabel,
  type NamedAttack,
  type OutcomeAttack,
  type Outcomes,
} from '../../experiment/records/outcomes.ts'
import { note, prose, type Chart, type Inline, type Section } from '../blocks.ts'
import { rocCurves, type RocLine } from '../charts/roc.ts'
import { significant } from '../format.ts'
import type { ReportInput } from '../input.ts'
import { attacksWithCurve, curvesOf, outcomeRows, readNote, type OutcomeRow } from './outcome-rows.ts'

/** Rows that are drawn. The page has as many colours. */
const MOST_LINES = 10

const attackNames: Readonly<Record<OutcomeAttack, string>> = {
  correctness: 'Correctness',
  confidence: 'Confidence',
  entropy: 'Entropy',
  'modified-entropy': 'Modified entropy',
  loss: 'Loss or confidence',
  lira: 'LiRA, online',
  liraOffline: 'LiRA, offline',
  rmia: 'RMIA',
  ruliGaussian: 'Vulnerable samples, Gaussians',
  ruliKernel: 'Vulnerable samples, kernels',
}

/** The name of an attack in titles. That of a plug-in's score is its label. */
export function attackName(attack: NamedAttack): string {
  return isPluginAttack(attack) ? pluginLabel(attack) : attackNames[attack]
}

/** The attacks by their scores. The loss and the confidence have one curve, but other scores. */
export const scoreTitles: Readonly<Record<OutcomeAttack, string>> = { ...attackNames, loss: 'Loss' }

/** The ROC curve of each attack on D_f. */
export function rocSection({ outcomes }: ReportInput): Section | undefined {
  const found = outcomes && attackedRows(outcomes)
  if (!found) return undefined
  const { rows, attacks } = found
  const [lines, further] = linesOf(rows)
  const charts = attacks.flatMap((attack) => chartOf(attack, rows, lines))
  if (charts.length === 0) return undefined
  return {
    title: 'ROC curves of the attacks',
    pageOnly: true,
    blocks: [
      prose(
        `The share of D_f that an attack calls members over the share of the ${nonMembersOf(outcomes)} that it calls so, for every threshold. The axes are logarithmic, since an attack that finds a few samples with certainty is worse than one that is often a little right. The dotted line is chance, the dashed one gold.${outcomes.read > 1 ? ' Curves are means over the seeds.' : ''}`,
      ),
      {
        kind: 'list',
        style: 'keys',
        items: lines.map(({ label, colour }): readonly Inline[] => [{ swatch: colour }, label]),
      },
      ...(further > 0 ? [note(`The first ${MOST_LINES} models are drawn, and ${further} are not.`)] : []),
      { kind: 'charts', size: 'panels', charts },
      ...readNote(outcomes),
    ],
  }
}

/** The rows and the attacks that have a curve for one of them. Undefined if there are none. */
export function attackedRows(outcomes: Outcomes) {
  const rows = outcomeRows(outcomes)
  // The loss has the order of the confidence, and correctness two values.
  const attacks = attacksWithCurve(rows).filter(
    (attack) => attack !== 'correctness' && attack !== 'confidence',
  )
  return attacks.length > 0 ? { rows, attacks } : undefined
}

export function nonMembersOf({ nonMembers }: Outcomes): string {
  return nonMembers === 'test' ? 'test samples' : 'test samples of the forgotten classes'
}

type Line = Pick<RocLine, 'label' | 'colour' | 'isGold'>

/** The models that are drawn with their colours, and the number of those that are not. */
export function linesOf(rows: readonly OutcomeRow[]): readonly [readonly Line[], number] {
  const wanted = rows.filter(({ isFloor }) => !isFloor)
  const lines = wanted.slice(0, MOST_LINES)
  return [
    lines.map(({ label, isGold }, i) => ({ label, isGold, colour: isGold ? 'ink' : `series-${i}` })),
    wanted.length - lines.length,
  ]
}

function chartOf(attack: NamedAttack, rows: readonly OutcomeRow[], lines: readonly Line[]): readonly Chart[] {
  const drawn = lines.flatMap((line) => {
    const row = rows.find(({ label }) => label === line.label)
    const curves = row ? curvesOf(row, attack) : []
    return curves.length > 0 ? [{ ...line, curves }] : []
  })
  if (drawn.length === 0) return []
  const areas = drawn.map(({ label, curves }) => {
    const mean = curves.reduce((sum, { auc }) => sum + auc, 0) / curves.length
    return `${label} ${significant(mean)}`
  })
  return [
    {
      title: attackName(attack),
      description: `${attackName(attack)}: ROC curves on logarithmic axes. Areas below them: ${areas.join(', ')}.`,
      spec: rocCurves(drawn),
    },
  ]
}
