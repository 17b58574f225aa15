import type { Candidate } from '../experiment/plan.ts'
import type { ResultRow } from '../experiment/results.ts'
import {
  confidenceHistograms,
  costAgainstGap,
  methodCurve,
  residualCurves,
  trainingCurves,
} from './charts.ts'
import { percent, significant } from './format.ts'
import { html, type Content, type Markup } from './markup.ts'
import {
  closest,
  floorGap,
  manifestOf,
  stagesBehind,
  valueOf,
  whyMissing,
  type ReportInput,
} from './results.ts'

/** The report's charts with their words. Vega is loaded here and nowhere else: it takes its time. */
export async function figures(input: ReportInput, rows: readonly ResultRow[]): Promise<Markup> {
  const { renderChart } = await import('./svg.ts')
  return html` ${await costFigure(input, rows, renderChart)} ${await trainingFigure(input, renderChart)}
  ${await methodFigures(input, renderChart)} ${await residualFigures(input, renderChart)}
  ${await confidenceFigures(input, renderChart)}`
}

type Render = typeof import('./svg.ts').renderChart

async function costFigure(input: ReportInput, rows: readonly ResultRow[], render: Render): Promise<Markup> {
  const best = closest(rows)
  const { plan } = input.run
  const costs = rows.slice(0, plan.candidates.length).flatMap((row) => {
    const rte = valueOf(row.metrics.rte)
    const gap = valueOf(row.metrics.averageGap)
    if (row.method === 'original' || !rte || gap === undefined) return []
    const kind = row === best ? 'closest' : row.method === 'retrain' ? 'gold' : 'method'
    return [{ label: row.label, rte, gap, kind } as const]
  })
  const floor = floorGap(plan, rows)
  const words = costs.map(
    ({ label, rte, gap }) => `${label}: ${significant(rte)} × retraining, ${percent(gap)} points`,
  )
  return html`<h3>Cost and closeness</h3>
    <p>
      Lower is closer to gold, further left is cheaper. The dashed line is the floor; nothing can be told from
      gold below it. The original model costs nothing and is not drawn.
    </p>
    <figure>
      ${
        costs.length > 0
          ? await render(
              'cost',
              `Average gap to gold over cost. ${words.join('; ')}.${floor === undefined ? '' : ` Floor: ${percent(floor)} points.`}`,
              costAgainstGap(costs, floor),
            )
          : html`<p class="missing">n/a: no method has both a gap and a time.</p>`
      }
    </figure>`
}

async function trainingFigure(input: ReportInput, render: Render): Promise<Markup> {
  const { original, gold } = input.run.plan
  const models = [original, ...gold].flatMap((stage, i) => {
    const curve = manifestOf<'train'>(input, stage)?.metrics.curve
    return curve && curve.length > 0 ? [{ label: trainedLabel(i), curve }] : []
  })
  const missing = [original, ...gold].filter(({ key }) => !(key in input.manifests))
  return html`<h3>Training from scratch</h3>
    <figure>
      ${
        models.length > 0
          ? await render(
              'training',
              `Training loss over steps of ${models.map(({ label }) => label).join(', ')}.`,
              trainingCurves(models),
            )
          : undefined
      }
    </figure>
    ${missing.map((stage) => html`<p class="missing">n/a: ${whyMissing(input, [stage])}</p>`)}`
}

function trainedLabel(i: number): string {
  if (i === 0) return 'original'
  return i === 1 ? 'gold' : `gold, seed ${i}`
}

async function methodFigures(input: ReportInput, render: Render): Promise<Content> {
  const methods = unlearned(input)
  if (methods.length === 0) return undefined
  const panels = await Promise.all(
    methods.map(async (candidate, i) => {
      const curve = manifestOf<'unlearn'>(input, candidate.unlearn)?.metrics.curve
      return panel(
        candidate.label,
        curve
          ? await render(
              `loss-${i}`,
              `Loss of ${candidate.label} over ${curve.length} steps that were kept.`,
              methodCurve(curve),
            )
          : absent(input, candidate),
      )
    }),
  )
  return html`<h3>Unlearning</h3>
    <p>
      The loss that each method minimises, over its own steps. Losses differ in kind from method to method, so
      only their courses can be compared.
    </p>
    <div class="panels">${panels}</div>`
}

async function residualFigures(input: ReportInput, render: Render): Promise<Content> {
  const methods = unlearned(input).flatMap(({ label, unlearn }) => {
    const residuals = manifestOf<'unlearn'>(input, unlearn)?.metrics.residuals
    return residuals && residuals.length > 0 ? [{ label, residuals }] : []
  })
  const values = methods
    .flatMap(({ residuals }) => residuals.flatMap(({ retained, forget }) => [retained, forget]))
    .filter((value) => value > 0)
  if (values.length === 0) return undefined
  const highest = values.reduce((a, b) => Math.max(a, b))
  const lowest = values.reduce((a, b) => Math.min(a, b))
  // Six decades at most: the first steps' residuals are as good as 0.
  const domain = [Math.max(lowest, highest * 1e-6) * 0.8, highest * 1.25] as const
  const panels = await Promise.all(
    methods.map(async ({ label, residuals }, i) =>
      panel(
        label,
        await render(
          `residuals-${i}`,
          `Residuals of ${label} over steps, on retained and on forget samples.`,
          residualCurves(residuals, domain),
        ),
      ),
    ),
  )
  return html`<h3>Residuals</h3>
    <p>
      What residual feature alignment learns, relative to the frozen features’ mean square: on retained
      samples the residual stays near 0 (it is 0 at the first step, which no logarithmic scale shows); on
      forget samples the distance to the target falls.
    </p>
    <div class="panels">${panels}</div>`
}

async function confidenceFigures(input: ReportInput, render: Render): Promise<Markup> {
  const { plan } = input.run
  const gold = manifestOf<'evaluate'>(input, plan.reference.evaluate)?.metrics.confidence
  const isGold = ({ evaluate }: Candidate) => evaluate.key === plan.reference.evaluate.key
  const judged = plan.candidates.some(isGold) ? plan.candidates : [undefined, ...plan.candidates]
  const panels = await Promise.all(
    judged.map(async (candidate, i) => {
      const label = candidate?.label ?? 'gold'
      const own = candidate ? manifestOf<'evaluate'>(input, candidate.evaluate)?.metrics.confidence : gold
      const reference = candidate && !isGold(candidate) ? gold : undefined
      const title = candidate && isGold(candidate) ? `${label} (gold)` : label
      if (!own) return panel(title, candidate ? absent(input, candidate) : undefined)
      const description = `Confidence of ${label} in the true class on retained, forget and test samples.`
      return panel(title, await render(`confidence-${i}`, description, confidenceHistograms(own, reference)))
    }),
  )
  return html`<h3>Confidence in the true class</h3>
    <p>
      Share of the samples by confidence:
      <span class="swatch" style="background:var(--retained)"></span>retained (D_r),
      <span class="swatch" style="background:var(--forget)"></span>to forget (D_f),
      <span class="swatch" style="background:var(--test)"></span>test (D_t); the
      <span class="swatch line" style="background:var(--ink)"></span>line is gold. The closer the bars keep to
      the line, the closer the method is to gold.
    </p>
    <div class="panels">${panels}</div>`
}

function unlearned(input: ReportInput) {
  return input.run.plan.candidates.flatMap(({ unlearn, ...rest }) => (unlearn ? [{ ...rest, unlearn }] : []))
}

function panel(title: string, content: Content): Markup {
  return html`<figure>
    <figcaption>${title}</figcaption>
    ${content}
  </figure>`
}

function absent(input: ReportInput, candidate: Candidate): Markup {
  return html`<p class="missing">n/a: ${whyMissing(input, stagesBehind(input.run.plan, candidate))}</p>`
}
