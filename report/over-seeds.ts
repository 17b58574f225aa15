import { boundedMean, type Range } from '../common/interval.ts'
import type { AccuracyPoint, CurvePoint, Measured } from '../experiment/records/measured.ts'
import type { ResidualNorms, ResidualPoint } from '../experiment/stages/unlearn.ts'
import type { StageMetrics } from '../experiment/stages/stage.ts'
import type { Figure } from '../experiment/records/results.ts'

/** Means over seeds. For a single seed they are its own values. */

const UNBOUNDED: Range = [-Infinity, Infinity]

/**
 * The mean of the figures, one a seed, with its 95% interval in their range; the seeds that have
 * none are left out.
 */
export function overSeeds(figures: readonly Measured[], range: Range = UNBOUNDED): Figure {
  const [first] = figures
  if (first && figures.length === 1) return first
  const values = figures.flatMap((figure) => ('value' in figure ? [figure.value] : []))
  const leftOut = figures.flatMap((figure, i) =>
    'missing' in figure ? [{ seed: i + 1, reason: figure.missing }] : [],
  )
  if (values.length === 0) return { missing: [...new Set(leftOut.map(({ reason }) => reason))].join('; ') }
  const { mean, half, between } = boundedMean(values, range)
  return {
    value: mean,
    n: values.length,
    ...(half !== undefined && { interval: half }),
    ...(between && { between }),
    ...(leftOut.length > 0 && { leftOut }),
  }
}

export function valueOf(measured: Measured): number | undefined {
  return 'value' in measured ? measured.value : undefined
}

/** The mean loss at each step. */
export function meanCurve(curves: readonly (readonly CurvePoint[])[]): readonly CurvePoint[] {
  return pointwise(curves, (points, point) => ({ ...point, loss: mean(points.map(({ loss }) => loss)) }))
}

export function meanResiduals(curves: readonly (readonly ResidualPoint[])[]): readonly ResidualPoint[] {
  return pointwise(curves, (points, { step }) => ({
    step,
    retained: mean(points.map(({ retained }) => retained)),
    forget: mean(points.map(({ forget }) => forget)),
  }))
}

/** The mean accuracies at each point, without those that are missing. */
export function meanAccuracies(curves: readonly (readonly AccuracyPoint[])[]): readonly AccuracyPoint[] {
  return pointwise(curves, (points, { step, epoch, validation }) => ({
    step,
    epoch,
    training: meanMeasured(points.map(({ training }) => training)),
    ...(validation && { validation: meanMeasured(points.flatMap((point) => point.validation ?? [])) }),
  }))
}

/**
 * The mean norms at each step of some rows of the same layers; undefined without a row. A stopping
 * rule may end seeds at different steps: the steps are those that all have.
 */
export function meanNorms(all: readonly ResidualNorms[]): ResidualNorms | undefined {
  const [first] = all
  if (!first) return undefined
  const points = first.points.flatMap(({ step }) => {
    const same = all.flatMap(({ points }) => points.find((point) => point.step === step) ?? [])
    const over = (set: 'retained' | 'forget') =>
      first.layers.map((_, layer) => mean(same.map((point) => point[set][layer] ?? NaN)))
    return same.length === all.length ? [{ step, retained: over('retained'), forget: over('forget') }] : []
  })
  return { layers: first.layers, points }
}

function meanMeasured(figures: readonly Measured[]): Measured {
  const values = figures.flatMap((figure) => valueOf(figure) ?? [])
  return values.length > 0 ? { value: mean(values) } : (figures[0] ?? { missing: 'nothing was measured' })
}

type Confidence = StageMetrics['evaluate']['confidence']

/** Samples of all seeds by confidence; undefined where no seed has any. */
export function summedConfidence(histograms: readonly Confidence[]): Confidence | undefined {
  const [first] = histograms
  if (!first) return undefined
  const summed = (set: keyof Confidence) =>
    first[set].map((_, bin) => histograms.reduce((sum, histogram) => sum + (histogram[set][bin] ?? 0), 0))
  return { retained: summed('retained'), forget: summed('forget'), test: summed('test') }
}

/** Combines curves point by point. All seeds have points at the same steps. */
function pointwise<P>(
  curves: readonly (readonly P[])[],
  one: (points: readonly P[], first: P) => P,
): readonly P[] {
  const [first = []] = curves
  return first.map((point, i) =>
    one(
      curves.flatMap((curve) => curve.slice(i, i + 1)),
      point,
    ),
  )
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
