import type { ResidualPoint } from '../../experiment/stages/unlearn.ts'
import { endsOf, type ResultRow } from '../../experiment/records/results.ts'
import { seedsOf } from '../../experiment/stages/stage-list.ts'
import type { StageOf } from '../../experiment/stages/stage.ts'
import { note, prose, type Block, type Chart, type ChartSize, type Section, type Text } from '../blocks.ts'
import { confidenceHistograms } from '../charts/confidence.ts'
import { costAgainstGap, type Cost } from '../charts/cost.ts'
import { methodCurve, residualCurves, trainingCurves } from '../charts/curves.ts'
import { counted } from '../../common/counted.ts'
import { percent, significant } from '../format.ts'
import { manifestOf, modelsBehind, type ReportInput } from '../input.ts'
import { meanCurve, meanResiduals, summedConfidence } from '../over-seeds.ts'
import { floorGap, valueOf } from '../results.ts'
import { accuracyByEpoch } from './accuracy-by-epoch.ts'
import { residualNorms } from './residual-norms.ts'
import type { StageSection } from './stage-section.ts'
import { trainedModels } from './trained-models.ts'

/** Sections of charts whose figures are in report.json, too. */
export const chartStageSections: readonly StageSection[] = [residualNorms, accuracyByEpoch]

/** The charts of a run. A section without data is left out. */
export function chartSections(input: ReportInput, rows: readonly ResultRow[]): readonly Section[] {
  const ofStages = ({ title, blocks }: StageSection) => {
    const own = blocks(input)
    return own && { title, blocks: own }
  }
  return [
    costSection(input, rows),
    confidenceSection(input),
    residualSection(input),
    ofStages(residualNorms),
    trainingSection(input),
    ofStages(accuracyByEpoch),
  ]
    .flatMap((section) => section ?? [])
    .map((section) => ({ ...section, pageOnly: true }))
}

const charts = (size: ChartSize, all: readonly Chart[]): Block => ({ kind: 'charts', size, charts: all })

function costSection(input: ReportInput, rows: readonly ResultRow[]): Section | undefined {
  const candidates = rows.slice(0, input.run.plan.candidates.length)
  const costs = candidates.flatMap((row): Cost[] => {
    const { averageGap } = row.metrics
    const rte = valueOf(row.metrics.rte)
    if ('missing' in averageGap || rte === undefined || rte <= 0) return []
    const ends = endsOf(averageGap)
    const kind = row.standing?.isAmongBest ? 'best' : row.method === 'retrain' ? 'gold' : 'method'
    return [{ label: row.label, gap: averageGap.value, ...(ends && { ends }), rte, kind }]
  })
  if (costs.length === 0) return undefined
  const free = candidates.flatMap(({ label, metrics: { rte, averageGap } }) => {
    const gap = valueOf(averageGap)
    return valueOf(rte) === 0 && gap !== undefined ? [`${label} (${percent(gap)} points)`] : []
  })
  const words = costs.map(
    ({ label, gap, rte }) =>
      `${label} ${percent(gap)} points at ${significant(rte)} of the time of retraining`,
  )
  return {
    title: 'Cost against gap',
    blocks: [
      prose(
        [
          'Lower is closer to gold, further left is cheaper. Upwards the scale is the logarithm of 1 + gap, so that 0 has a place.',
          free.length > 0 ? ` Not drawn, for it costs nothing: ${free.join(', ')}.` : '',
          input.run.plan.seeds ? ' Bars are the 95% intervals of the gaps.' : '',
        ].join(''),
      ),
      charts('wide', [
        {
          description: `Average gap to gold over cost: ${words.join('; ')}.`,
          spec: costAgainstGap(costs, floorGap(input)?.value),
        },
      ]),
    ],
  }
}

function confidenceSection(input: ReportInput): Section | undefined {
  const { plan } = input.run
  const of = (evaluations: readonly StageOf<'evaluate'>[]) =>
    summedConfidence(
      evaluations.flatMap((stage) => manifestOf<'evaluate'>(input, stage)?.metrics.confidence ?? []),
    )
  const gold = of(seedsOf(plan).flatMap(({ reference }) => (reference ? [reference.evaluate] : [])))
  const panels = modelsBehind(plan).flatMap((models) => {
    const [first] = models
    const own = of(models.map(({ candidate }) => candidate.evaluate))
    return first && own ? [{ ...first.candidate, own }] : []
  })
  if (!gold && panels.length === 0) return undefined
  const listed = panels.some(({ evaluate }) => evaluate.key === plan.reference?.evaluate.key)
  const all = gold && !listed ? [{ label: 'gold', own: gold }, ...panels] : panels
  return {
    title: 'Confidence in the true class',
    blocks: [
      prose([
        'Share of the samples by the probability that the model gives to their true class, for the ',
        ...keyed('retained', 'retained set D_r, the '),
        ...keyed('forget', 'forget set D_f and the '),
        ...(gold
          ? [...keyed('test', 'test set D_t. The '), ...keyed('line', 'line is gold.')]
          : keyed('test', 'test set D_t.')),
      ]),
      charts(
        'panels',
        all.map(({ label, own }) => ({
          title: label,
          description: `${label}: shares of retained, forget and test samples by confidence in the true class.`,
          spec: confidenceHistograms(own, gold),
        })),
      ),
    ],
  }
}

/** A key of a chart with the words behind it. */
function keyed(swatch: string, words: string): Exclude<Text, string> {
  return [{ swatch }, words]
}

function residualSection(input: ReportInput): Section | undefined {
  const panels = unlearned(input).flatMap(({ label, metrics }) => {
    const residuals = metrics.flatMap(({ residuals }) => (residuals ? [residuals] : []))
    return residuals.length > 0 ? [{ label, points: meanResiduals(residuals) }] : []
  })
  const domain = positiveRange(panels.flatMap(({ points }) => points))
  if (!domain) return undefined
  return {
    title: 'Residuals of feature alignment',
    blocks: [
      prose([
        "Mean square per feature relative to the frozen feature's, over the aligned layers: on ",
        ...keyed('retained', 'retained samples the residual ‖r‖², to stay near 0, and on '),
        ...keyed('forget', 'forget samples the distance to the shifted target, ‖f + r − t‖², to fall. '),
        'The first retained residual is 0, which a logarithmic scale does not show.',
      ]),
      charts(
        'panels',
        panels.map(({ label, points }) => {
          const last = points.at(-1)
          const end = last
            ? ` After step ${last.step}: retained ${significant(last.retained)}, forget ${significant(last.forget)}.`
            : ''
          return {
            title: label,
            description: `${label}: residuals on retained and forget samples over steps.${end}`,
            spec: residualCurves(points, domain),
          }
        }),
      ),
    ],
  }
}

function trainingSection(input: ReportInput): Section | undefined {
  const { plan } = input.run
  const several = plan.seeds !== undefined
  const trained = trainedModels(plan).flatMap(({ label, stages }) => {
    const curves = stages
      .filter(({ params }) => params.on !== 'given')
      .flatMap((stage) => manifestOf<'train'>(input, stage) ?? [])
    return curves.length > 0 ? [{ label, curve: meanCurve(curves.map(({ metrics }) => metrics.curve)) }] : []
  })
  const methods = unlearned(input).flatMap(({ label, metrics }) =>
    metrics
      .slice(0, 1)
      .map((first) => ({ ...first, label, curve: meanCurve(metrics.map(({ curve }) => curve)) })),
  )
  const drawn = methods.filter(({ curve }) => curve.length > 0)
  const without = methods.filter(({ curve }) => curve.length === 0).map(({ label }) => label)
  if (trained.length === 0 && methods.length === 0) return undefined
  return {
    title: 'Training',
    blocks: [
      prose(
        `Loss of single batches over optimizer steps, at up to 200 steps of each run.${several ? ' Lines are means over the seeds.' : ''}`,
      ),
      ...(trained.length === 0
        ? []
        : [
            charts('wide', [
              {
                title: 'Models trained from scratch',
                description: `Training loss over steps of ${trained.map(({ label }) => label).join(', ')}.`,
                spec: trainingCurves(trained),
              },
            ]),
          ]),
      ...(drawn.length === 0
        ? []
        : [
            charts(
              'panels',
              drawn.map(({ label, curve, steps, trainable }) => ({
                title: label,
                small: [
                  counted(steps, 'step'),
                  ...(trainable === undefined ? [] : [counted(trainable, 'trainable parameter')]),
                ].join(', '),
                description: `${label}: loss over steps.`,
                spec: methodCurve(curve),
              })),
            ),
          ]),
      ...(without.length === 0 ? [] : [note(`Methods without steps have no curve: ${without.join(', ')}.`)]),
    ],
  }
}

/** The metrics of every row's unlearning, one entry for each seed. */
function unlearned(input: ReportInput) {
  return modelsBehind(input.run.plan).flatMap((models) => {
    const metrics = models.flatMap(({ candidate: { unlearn } }) => {
      const manifest = unlearn && manifestOf<'unlearn'>(input, unlearn)
      return manifest ? [manifest.metrics] : []
    })
    return models.slice(0, 1).map(({ candidate: { label } }) => ({ label, metrics }))
  })
}

/** The least and the greatest of the residuals above 0. */
function positiveRange(points: readonly ResidualPoint[]): readonly [number, number] | undefined {
  const values = points.flatMap(({ retained, forget }) => [retained, forget]).filter((value) => value > 0)
  return values.length > 0 ? [Math.min(...values), Math.max(...values)] : undefined
}
