import type { ResidualPoint } from '../../experiment/records/manifest.ts'
import { endsOf, type ResultRow } from '../../experiment/records/results.ts'
import { seedsOf } from '../../experiment/stages/stage-list.ts'
import type { StageOf } from '../../experiment/stages/stage.ts'
import {
  confidenceHistograms,
  costAgainstGap,
  methodCurve,
  residualCurves,
  trainingCurves,
  type Cost,
} from '../charts.ts'
import { counted, percent, significant } from '../format.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { meanCurve, meanResiduals, summedConfidence } from '../over-seeds.ts'
import { inOrder, type Render } from '../render-charts.ts'
import { floorGap, manifestOf, modelsBehind, valueOf, type ReportInput } from '../results.ts'
import { notation } from './notation.ts'

/** The charts, as inline SVG. Vega is loaded here alone: it takes longer to load than all of the rest to render. */
export async function chartSections(input: ReportInput, rows: readonly ResultRow[]): Promise<Markup> {
  const { renderChart } = await import('../svg.ts')
  return html`${await cost(input, rows, renderChart)} ${await confidence(input, renderChart)}
  ${await residuals(input, renderChart)} ${await training(input, renderChart)}`
}

async function cost(input: ReportInput, rows: readonly ResultRow[], render: Render): Promise<Content> {
  const candidates = rows.slice(0, input.run.plan.candidates.length)
  const costs = candidates.flatMap((row): Cost[] => {
    const { averageGap } = row.metrics
    const rte = valueOf(row.metrics.rte)
    if ('missing' in averageGap || rte === undefined || rte <= 0) return []
    const { value: gap } = averageGap
    const ends = endsOf(averageGap)
    return [
      {
        label: row.label,
        gap,
        ...(ends && { ends }),
        rte,
        kind: row.standing?.isAmongBest ? 'best' : row.method === 'retrain' ? 'gold' : 'method',
      },
    ]
  })
  if (costs.length === 0) return undefined
  const free = candidates.flatMap(({ label, metrics: { rte, averageGap } }) => {
    const gap = valueOf(averageGap)
    return valueOf(rte) === 0 && gap !== undefined ? [`${label} (${percent(gap)} points)`] : []
  })
  const notes = [
    free.length > 0 && ` Not drawn, for it costs nothing: ${free.join(', ')}.`,
    input.run.plan.seeds && ' Bars are the 95% intervals of the gaps.',
  ]
  const floor = floorGap(input)?.value
  const words = costs.map(
    ({ label, gap, rte }) =>
      `${label} ${percent(gap)} points at ${significant(rte)} of the time of retraining`,
  )
  return html`<section>
    <h2>Cost against gap</h2>
    <p>
      Lower is closer to gold, further left is cheaper. Upwards the scale is the logarithm of 1 + gap, so that
      0 has a place.${notes}
    </p>
    <figure class="wide">
      ${await render('cost', `Average gap to gold over cost: ${words.join('; ')}.`, costAgainstGap(costs, floor))}
    </figure>
  </section>`
}

async function confidence(input: ReportInput, render: Render): Promise<Content> {
  const { plan } = input.run
  const of = (evaluations: readonly StageOf<'evaluate'>[]) =>
    summedConfidence(
      evaluations.flatMap((stage) => manifestOf<'evaluate'>(input, stage)?.metrics.confidence ?? []),
    )
  const gold = of(seedsOf(plan).map(({ reference }) => reference.evaluate))
  const panels = modelsBehind(plan).flatMap((models) => {
    const [first] = models
    const own = of(models.map(({ candidate }) => candidate.evaluate))
    return first && own ? [{ ...first.candidate, own }] : []
  })
  if (!gold && panels.length === 0) return undefined
  const listed = panels.some(({ evaluate }) => evaluate.key === plan.reference.evaluate.key)
  const all = gold && !listed ? [{ label: 'gold', own: gold }, ...panels] : panels
  return html`<section>
    <h2>Confidence in the true class</h2>
    <p>
      Share of the samples by the probability that the model gives to their true class, for the
      <span class="swatch retained"></span>retained set ${notation('D_r')}, the
      <span class="swatch forget"></span>forget set ${notation('D_f')} and the
      <span class="swatch test"></span>test set ${notation('D_t')}. The <span class="swatch line"></span>line
      is gold.
    </p>
    <div class="panels">
      ${await inOrder(
        all,
        async ({ label, own }, i) =>
          html`<figure>
            <figcaption>${label}</figcaption>
            ${await render(`confidence${i}`, `${label}: shares of retained, forget and test samples by confidence in the true class.`, confidenceHistograms(own, gold))}
          </figure>`,
      )}
    </div>
  </section>`
}

async function residuals(input: ReportInput, render: Render): Promise<Content> {
  const panels = unlearned(input).flatMap(({ label, metrics }) => {
    const residuals = metrics.flatMap(({ residuals }) => (residuals ? [residuals] : []))
    return residuals.length > 0 ? [{ label, points: meanResiduals(residuals) }] : []
  })
  const domain = positiveRange(panels.flatMap(({ points }) => points))
  if (!domain) return undefined
  return html`<section>
    <h2>Residuals of feature alignment</h2>
    <p>
      Mean square per feature relative to the frozen feature's, over the aligned layers: on
      <span class="swatch retained"></span>retained samples the residual ‖r‖², to stay near 0, and on
      <span class="swatch forget"></span>forget samples the distance to the shifted target, ‖f + r − t‖², to
      fall. The first retained residual is 0, which a logarithmic scale does not show.
    </p>
    <div class="panels">
      ${await inOrder(panels, async ({ label, points }, i) => {
        const last = points.at(-1)
        const end = last
          ? ` After step ${last.step}: retained ${significant(last.retained)}, forget ${significant(last.forget)}.`
          : ''
        return html`<figure>
          <figcaption>${label}</figcaption>
          ${await render(`residuals${i}`, `${label}: residuals on retained and forget samples over steps.${end}`, residualCurves(points, domain))}
        </figure>`
      })}
    </div>
  </section>`
}

async function training(input: ReportInput, render: Render): Promise<Content> {
  const { plan } = input.run
  const several = plan.seeds !== undefined
  const lines = several && ' Lines are means over the seeds.'
  const trained = [plan.original, ...plan.gold].flatMap((_, i) => {
    const stages = seedsOf(plan).flatMap(({ original, gold }) => [original, ...gold].slice(i, i + 1))
    const curves = stages.flatMap((stage) => {
      const manifest = manifestOf<'train'>(input, stage)
      return manifest ? [manifest.metrics.curve] : []
    })
    const label = i === 0 ? 'original' : i === 1 ? 'gold' : `gold${several ? '' : ', seed'} ${i}`
    return curves.length > 0 ? [{ label, curve: meanCurve(curves) }] : []
  })
  const methods = unlearned(input).flatMap(({ label, metrics }) => {
    const [first] = metrics
    return first
      ? [{ label, metrics: { ...first, curve: meanCurve(metrics.map(({ curve }) => curve)) } }]
      : []
  })
  if (trained.length === 0 && methods.length === 0) return undefined
  return html`<section>
    <h2>Training</h2>
    <p>Loss of single batches over optimizer steps, at up to 200 steps of each run.${lines}</p>
    ${
      trained.length > 0 &&
      html`<figure class="wide">
        <figcaption>Models trained from scratch</figcaption>
        ${await render('training', `Training loss over steps of ${trained.map(({ label }) => label).join(', ')}.`, trainingCurves(trained))}
      </figure>`
    }
    <div class="panels">
      ${await inOrder(
        methods,
        async ({ label, metrics: { curve, steps, trainable } }, i) =>
          html`<figure>
            <figcaption>
              ${label} <small>${counted(steps, 'step')}, ${counted(trainable, 'trainable parameter')}</small>
            </figcaption>
            ${await render(`method${i}`, `${label}: loss over steps.`, methodCurve(curve))}
          </figure>`,
      )}
    </div>
  </section>`
}

/** What the unlearning of every row that has one left, a seed an entry. */
function unlearned(input: ReportInput) {
  return modelsBehind(input.run.plan).flatMap((models) => {
    const metrics = models.flatMap(({ candidate: { unlearn } }) => {
      const manifest = unlearn && manifestOf<'unlearn'>(input, unlearn)
      return manifest ? [manifest.metrics] : []
    })
    return models.slice(0, 1).map(({ candidate: { label } }) => ({ label, metrics }))
  })
}

/** Least and greatest of the residuals above 0. */
function positiveRange(points: readonly ResidualPoint[]): readonly [number, number] | undefined {
  const values = points.flatMap(({ retained, forget }) => [retained, forget]).filter((value) => value > 0)
  return values.length > 0 ? [Math.min(...values), Math.max(...values)] : undefined
}
