import type { Estimate, Measured } from '../../experiment/records/manifest.ts'
import { footnotes } from '../footnotes.ts'
import { percent, significant } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import { populationNotes } from '../population.ts'
import { manifestOf, whyMissing, type ReportInput } from '../results.ts'
import { figureOr, footnoteList, type MissingFigures } from './missing.ts'
import { notation } from './notation.ts'

/** What the models of all seeds tell together; nothing where there are too few. */
export function populationSection(input: ReportInput): Markup | undefined {
  const { population, candidates } = input.run.plan
  if (!population) return undefined
  const models = input.run.spec.seeds ?? 1
  const missing = { name: 'population', notes: footnotes() }
  const own = population.filter(({ label }) => candidates.some((candidate) => candidate.label === label))
  const floor = population.filter((row) => !own.includes(row))
  return html`<section>
    <h2>Populations</h2>
    <p>
      Each method's ${models} models against the ${models} gold models of the same seeds, sample by sample, by
      ${notation('φ')} = log(p_y / (1 − p_y)). U-LiRA is the accuracy of telling the two kinds apart on
      ${notation('D_f')} (50 is ideal; its 95% interval is below it, small); KLoM the divergence of their
      distributions in nats (mean, and 95th percentile below it), F the forgetting quality of the NeurIPS 2023
      challenge, and the score F times the ratios of RA and TA to gold's. Distributions of ${models} models
      differ by chance:
      ${floor.length > 0 ? 'the last rows, gold against gold, show by how much' : 'second gold models (gold.models: 2) would show by how much'}.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Populations">
      <table>
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col">U-LiRA</th>
            <th scope="col">KLoM ${notation('D_f')}</th>
            <th scope="col">KLoM ${notation('D_r')}</th>
            <th scope="col">KLoM ${notation('D_t')}</th>
            <th scope="col">F</th>
            <th scope="col">Score</th>
          </tr>
        </thead>
        <tbody>
          ${own.map((row) => populationRow(input, row, missing))}
        </tbody>
        <tbody class="floor">
          ${floor.map((row) => populationRow(input, row, missing))}
        </tbody>
      </table>
    </div>
    ${populationNotes(models).map((note) => html`<p class="note">${note}</p>`)} ${footnoteList(missing)}
  </section>`
}

type Row = NonNullable<ReportInput['run']['plan']['population']>[number]

function populationRow(input: ReportInput, { label, stage }: Row, missing: MissingFigures): Markup {
  const metrics = manifestOf<'population'>(input, stage)?.metrics
  const none: Measured = { missing: whyMissing(input, [stage]) }
  const klom = (set: 'forget' | 'retained' | 'test') => {
    const found = metrics?.klom[set]
    return html`<td>
      ${figureOr(missing, found?.mean ?? none, significant)}${found && 'value' in found.percentile95 && html`<small>${significant(found.percentile95.value)}</small>`}
    </td>`
  }
  const uLira: Estimate = metrics?.uLira ?? none
  const interval = 'value' in uLira ? uLira.interval : undefined
  return html`<tr>
    <th scope="row">${label}</th>
    <td>
      ${figureOr(missing, plain(uLira), percent)}${interval && html`<small>${interval.map(percent).join(' – ')}</small>`}
    </td>
    ${(['forget', 'retained', 'test'] as const).map(klom)}
    <td>${figureOr(missing, metrics?.forgettingQuality.forgetting ?? none, significant)}</td>
    <td>${figureOr(missing, metrics?.forgettingQuality.score ?? none, significant)}</td>
  </tr> `
}

/** Without its interval, which is that of one figure, not of a mean over seeds. */
function plain(estimate: Estimate): Measured {
  return 'value' in estimate ? { value: estimate.value } : estimate
}
