import type { ResidualPoint } from '../../experiment/manifest.ts'
import type { ResultRow } from '../../experiment/results.ts'
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
import { closest, floorGap, manifestOf, valueOf, type ReportInput } from '../results.ts'
import { notation } from './notation.ts'

type Render = (typeof import('../svg.ts'))['renderChart']

/** The charts, as inline SVG. Vega is loaded here alone: it takes longer to load than all of the rest to render. */
export async function chartSections(input: ReportInput, rows: readonly ResultRow[]): Promise<Markup> {
  const { renderChart } = await import('../svg.ts')
  return html`${await cost(input, rows, renderChart)} ${await confidence(input, renderChart)}
  ${await residuals(input, renderChart)} ${await training(input, renderChart)}`
}

async function cost({ run }: ReportInput, rows: readonly ResultRow[], render: Render): Promise<Content> {
  const best = closest(rows)
  const candidates = rows.slice(0, run.plan.candidates.length)
  const costs = candidates.flatMap((row): Cost[] => {
    const gap = valueOf(row.metrics.averageGap)
    const rte = valueOf(row.metrics.rte)
    if (gap === undefined || rte === undefined || rte <= 0) return []
    return [
      {
        label: row.label,
        gap,
        rte,
        kind: row === best ? 'closest' : row.method === 'retrain' ? 'gold' : 'method',
      },
    ]
  })
  if (costs.length === 0) return undefined
  const free = candidates.flatMap(({ label, metrics: { rte, averageGap } }) => {
    const gap = valueOf(averageGap)
    return valueOf(rte) === 0 && gap !== undefined ? [`${label} (${percent(gap)} points)`] : []
  })
  const floor = floorGap(run.plan, rows)
  const words = costs.map(
    ({ label, gap, rte }) =>
      `${label} ${percent(gap)} points at ${significant(rte)} of the time of retraining`,
  )
  return html`<section>
    <h2>Cost against gap</h2>
    <p>
      Lower is closer to gold, further left is cheaper. Upwards the scale is the logarithm of 1 + gap, so that
      0 has a place.${free.length > 0 && ` Not drawn, for it costs nothing: ${free.join(', ')}.`}
    </p>
    <figure class="wide">
      ${await render('cost', `Average gap to gold over cost: ${words.join('; ')}.`, costAgainstGap(costs, floor))}
    </figure>
  </section>`
}

async function confidence(input: ReportInput, render: Render): Promise<Content> {
  const { plan } = input.run
  const gold = manifestOf<'evaluate'>(input, plan.reference.evaluate)?.metrics.confidence
  const panels = [...plan.candidates, ...plan.floor].flatMap(({ label, evaluate }) => {
    const own = manifestOf<'evaluate'>(input, evaluate)?.metrics.confidence
    return own ? [{ label, own }] : []
  })
  if (!gold && panels.length === 0) return undefined
  const listed = panels.some(({ own }) => own === gold)
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
  const panels = input.run.plan.candidates.flatMap(({ label, unlearn }) => {
    const points = unlearn && manifestOf<'unlearn'>(input, unlearn)?.metrics.residuals
    return points ? [{ label, points }] : []
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
  const { original, gold, candidates } = input.run.plan
  const trained = [original, ...gold].flatMap((stage, i) => {
    const manifest = manifestOf<'train'>(input, stage)
    const label = i === 0 ? 'original' : i === 1 ? 'gold' : `gold, seed ${i}`
    return manifest ? [{ label, curve: manifest.metrics.curve }] : []
  })
  const methods = candidates.flatMap(({ label, unlearn }) => {
    const manifest = unlearn && manifestOf<'unlearn'>(input, unlearn)
    return manifest ? [{ label, metrics: manifest.metrics }] : []
  })
  if (trained.length === 0 && methods.length === 0) return undefined
  return html`<section>
    <h2>Training</h2>
    <p>Loss of single batches over optimizer steps, at up to 200 steps of each run.</p>
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

/** Least and greatest of the residuals above 0. */
function positiveRange(points: readonly ResidualPoint[]): readonly [number, number] | undefined {
  const values = points.flatMap(({ retained, forget }) => [retained, forget]).filter((value) => value > 0)
  return values.length > 0 ? [Math.min(...values), Math.max(...values)] : undefined
}

/** One after the other: vega counts the ids of what it draws. */
async function inOrder<T, R>(items: readonly T[], draw: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const drawn: R[] = []
  for (const [i, item] of items.entries()) drawn.push(await draw(item, i))
  return drawn
}
