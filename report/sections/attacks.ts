import type { Measured } from '../../experiment/records/manifest.ts'
import { ranges } from '../../experiment/records/results.ts'
import {
  classifierNames,
  scoreNames,
  type ClassifierName,
  type ScoreName,
} from '../../experiment/spec/spec.ts'
import { footnotes } from '../footnotes.ts'
import { percent } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import { attackAtChance } from '../marks.ts'
import { overSeeds } from '../over-seeds.ts'
import { manifestOf, modelsBehind, stagesBehind, whyMissing, type ReportInput } from '../results.ts'
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
  const { plan } = input.run
  const missing = { name: 'attacks', notes: footnotes() }
  const rows = modelsBehind(plan).map((models) => attackRow(input, models, missing))
  return html`<section>
    <h2>Membership inference</h2>
    <p>
      An attack learns, on one score of the model's output, to tell ${notation('D_r')} (members) from half of
      ${notation('D_t')} (non-members). The figure is its efficacy: the percentage of ${notation('D_f')} that
      it calls non-members. Below it, small: the attack's own balanced accuracy on samples that did not train
      it, 50 being a coin toss. Where its 95% interval includes 50, both are grey: what such an attack says is
      noise. MIA above is the support-vector classifier on confidence.
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
          ${rows.slice(0, plan.candidates.length)}
        </tbody>
        <tbody class="floor">
          ${rows.slice(plan.candidates.length)}
        </tbody>
      </table>
    </div>
    ${footnoteList(missing)}
  </section>`
}

type Models = ReturnType<typeof modelsBehind>[number]

function attackRow(input: ReportInput, models: Models, missing: MissingFigures): Markup {
  const attacks = models.map(({ seed, candidate }) => ({
    metrics: manifestOf<'attack'>(input, candidate.attack)?.metrics,
    none: { missing: whyMissing(input, stagesBehind(seed, candidate)) } satisfies Measured,
  }))
  const figure = (of: 'efficacy' | 'accuracy', classifier: ClassifierName, score: ScoreName) =>
    overSeeds(
      attacks.map(({ metrics, none }) => metrics?.[of][classifier][score] ?? none),
      ranges.percent,
    )
  const attacked = attacks.some(({ metrics }) => metrics)
  return html`<tr>
    <th scope="row">${models[0]?.candidate.label}</th>
    ${classifierNames.map((classifier) =>
      scoreNames.map((score, i) => {
        const efficacy = figure('efficacy', classifier, score)
        const accuracy = attacked && figure('accuracy', classifier, score)
        const names = [
          ...(i === 0 ? ['split'] : []),
          ...(attackAtChance(input, models, classifier, score) ? ['faint'] : []),
        ]
        return html`<td${names.length > 0 && html` class="${names.join(' ')}"`}>${figureOr(missing, efficacy, percent)}${accuracy && html`<small>${figureOr(missing, accuracy, percent)}</small>`}</td>`
      }),
    )}
  </tr> `
}
