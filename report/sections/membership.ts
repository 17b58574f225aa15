import {
  shadowAttacks,
  shadowedSets,
  shadowFigures,
  type ShadowedSet,
  type ShadowFigure,
} from '../../experiment/records/manifest.ts'
import { describeSeeds } from '../describe.ts'
import { footnotes } from '../footnotes.ts'
import { counted } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import {
  fewShadows,
  membershipRows,
  shadowAttackLabels,
  shadowColumns,
  shadowedSamples,
  shadowFigure,
  type MembershipRow,
} from '../membership.ts'
import type { ReportInput } from '../results.ts'
import { figureOr, footnoteList, type MissingFigures } from './missing.ts'
import { notation } from './notation.ts'

/** LiRA and RMIA; nothing where there are no shadow models. */
export function membershipSection(input: ReportInput): Markup | undefined {
  const rows = membershipRows(input)
  const models = input.run.plan.shadow?.models.length
  if (!rows || models === undefined) return undefined
  const seeds = describeSeeds(input.run.spec)
  return html`<section>
    <h2>Membership inference from shadow models</h2>
    <p>
      ${models} shadow models, each trained on a random half of all samples, show how training on a sample
      moves its φ = log(p_y / (1 − p_y)). By that, LiRA and RMIA (γ = 2) say how likely it is that the
      attacked model trained on it. AUC is the probability that they rank a sample of the set above a test
      sample that the model never saw: 0.5 is chance. TPR is the percentage of the set that is found where 1%
      or 0.1% of the test samples are found with it.
      ${seeds ? `${seeds}.` : 'Below each figure, small: its 95% interval.'}
    </p>
    ${note(fewShadows(models, rows))} ${shadowedSets.map((set) => setTable(rows, set))}
  </section>`
}

function note(text: string | undefined): Markup | undefined {
  return text === undefined ? undefined : html`<p class="note">${text}</p>`
}

const about: Readonly<Record<ShadowedSet, { readonly title: string; readonly ideal: string }>> = {
  forget: {
    title: 'The forget set D_f',
    ideal: 'Gold never saw it, so that for gold this is chance: what is above is still remembered.',
  },
  retained: {
    title: 'The retained set D_r',
    ideal: 'Every model trained on it: what is above gold, the unlearning of others has exposed.',
  },
}

function setTable(rows: readonly MembershipRow[], set: ShadowedSet): Markup {
  const missing = { name: `membership-${set}`, notes: footnotes() }
  const { title, ideal } = about[set]
  const samples = shadowedSamples(rows, set)
  const described =
    samples &&
    `${counted(samples.members, 'sample')} of it against ${counted(samples.nonMembers, 'test sample')}. `
  return html`<h3>${notation(title)}</h3>
    <p>${described}${ideal}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="${`Shadow models, ${set} set`}">
      <table class="attacks">
        <thead>
          <tr>
            <td></td>
            ${shadowAttacks.map((attack) => html`<th scope="colgroup" class="split group" colspan="${shadowFigures.length}">${shadowAttackLabels[attack]}</th>`)}
          </tr>
          <tr>
            <th scope="col">Model</th>
            ${shadowAttacks.map(() => shadowFigures.map((name) => html`<th scope="col" ${split(name)}>${shadowColumns[name].label}</th>`))}
          </tr>
        </thead>
        <tbody>
          ${rows.filter(({ isFloor }) => !isFloor).map((row) => tableRow(row, set, missing))}
        </tbody>
        <tbody class="floor">
          ${rows.filter(({ isFloor }) => isFloor).map((row) => tableRow(row, set, missing))}
        </tbody>
      </table>
    </div>
    ${footnoteList(missing)}`
}

function tableRow(row: MembershipRow, set: ShadowedSet, missing: MissingFigures): Markup {
  return html`<tr>
    <th scope="row">${row.label}</th>
    ${shadowAttacks.map((attack) =>
      shadowFigures.map((name) => {
        const { figure, interval } = shadowFigure(row, set, attack, name)
        const { write } = shadowColumns[name]
        return html`<td${split(name)}>${figureOr(missing, figure, write)}${interval && html`<small>${interval.map(write).join(' – ')}</small>`}</td>`
      }),
    )}
  </tr> `
}

const split = (name: ShadowFigure) => name === 'auc' && html` class="split"`
