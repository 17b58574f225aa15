import type { Measured } from '../../experiment/manifest.ts'
import { classifierNames, scoreNames, type ClassifierName, type ScoreName } from '../../experiment/spec.ts'
import type { Candidate } from '../../experiment/plan.ts'
import { footnotes } from '../footnotes.ts'
import { percent } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import { manifestOf, stagesBehind, whyMissing, type ReportInput } from '../results.ts'
import { figureOr, footnoteList, type MissingFigures } from './missing.ts'
import { notation } from './notation.ts'

const titles: Readonly<Record<ClassifierName, string>> = {
  svm: 'Support-vector classifier (RBF)',
  logistic: 'Logistic regression',
}

const scoreLabels: Readonly<Record<ScoreName, string>> = {
  correctness: 'correct',
  confidence: 'confid.',
  entropy: 'entropy',
  'modified-entropy': 'mod. entr.',
  loss: 'loss',
}

/** Membership inference: how each attack fares against each model. */
export function attackSection(input: ReportInput): Markup {
  const { candidates, floor } = input.run.plan
  const missing = { name: 'attacks', notes: footnotes() }
  const bodyRow = (candidate: Candidate) => attackRow(input, candidate, missing)
  return html`<section>
    <h2>Membership inference</h2>
    <p>
      An attack learns, on one score of the model's output, to tell ${notation('D_r')} (members) from half of
      ${notation('D_t')} (non-members). The figure is its efficacy: the percentage of ${notation('D_f')} that
      it calls non-members. Below it, small: the attack's own balanced accuracy on samples that did not train
      it, 50 being a coin toss. MIA above is the support-vector classifier on confidence.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Membership inference">
      <table class="attacks">
        <thead>
          <tr>
            <td></td>
            ${classifierNames.map((name) => html`<th scope="colgroup" class="split group" colspan="${scoreNames.length}">${titles[name]}</th>`)}
          </tr>
          <tr>
            <th scope="col">Model</th>
            ${classifierNames.map(() => scoreNames.map((score, i) => html`<th scope="col" ${i === 0 && html` class="split"`}>${scoreLabels[score]}</th>`))}
          </tr>
        </thead>
        <tbody>
          ${candidates.map(bodyRow)}
        </tbody>
        <tbody class="floor">
          ${floor.map(bodyRow)}
        </tbody>
      </table>
    </div>
    ${footnoteList(missing)}
  </section>`
}

function attackRow(input: ReportInput, candidate: Candidate, missing: MissingFigures): Markup {
  const attack = manifestOf<'attack'>(input, candidate.attack)?.metrics
  const none: Measured = { missing: whyMissing(input, stagesBehind(input.run.plan, candidate)) }
  return html`<tr>
    <th scope="row">${candidate.label}</th>
    ${classifierNames.map((classifier) =>
      scoreNames.map((score, i) => {
        const efficacy = attack?.efficacy[classifier][score] ?? none
        const accuracy = attack?.accuracy[classifier][score]
        return html`<td${i === 0 && html` class="split"`}>${figureOr(missing, efficacy, percent)}${accuracy && html`<small>${figureOr(missing, accuracy, percent)}</small>`}</td>`
      }),
    )}
  </tr> `
}
