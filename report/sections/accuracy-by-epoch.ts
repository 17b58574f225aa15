import type { AccuracyPoint, Measured } from '../../experiment/records/measured.ts'
import { counted } from '../../common/counted.ts'
import type { AccuracySpec } from '../../experiment/spec/training.ts'
import type { StageOf } from '../../experiment/stages/stage.ts'
import { prose } from '../blocks.ts'
import { accuracyCurves, type AccuracyValue } from '../charts/accuracy.ts'
import { percent } from '../format.ts'
import { manifestOf, whyMissing, type ReportInput } from '../input.ts'
import { meanAccuracies } from '../over-seeds.ts'
import { missingSeeds } from './missing-seeds.ts'
import type { StageSection } from './stage-section.ts'
import { trainedModels } from './trained-models.ts'

/** The accuracies of a model in training. */
export interface AccuracyRow {
  readonly label: string
  /** One entry for each seed. */
  readonly seeds: readonly ({ readonly points: readonly AccuracyPoint[] } | { readonly missing: string })[]
}

/** The accuracy of the original and of the gold models after epochs of their training. */
export const accuracyByEpoch: StageSection = {
  title: 'Accuracy by epoch',
  about: 'accuracy of the original and of gold in training, on training and on validation samples',
  needs: '`training.accuracy`',
  blocks: (input) => {
    const rows = accuracyRows(input) ?? []
    const lines = rows.map(({ label, seeds }) => ({ label, values: valuesOf(label, seeds) }))
    const drawn = lines.filter(({ values }) => values.length > 0)
    const values = drawn.flatMap((line) => line.values)
    if (values.length === 0) return undefined
    const models = trainedModels(input.run.plan).filter(({ label }) =>
      drawn.some((one) => one.label === label),
    )
    return [
      prose(introduction(input, values)),
      {
        kind: 'charts',
        size: 'wide',
        charts: [
          {
            title: 'Models trained from scratch',
            description: `Accuracy over epochs. ${drawn.map(lastWords).join('; ')}.`,
            spec: accuracyCurves(values, models),
          },
        ],
      },
      ...missingSeeds(rows),
    ]
  },
  computed: { key: 'accuracyByEpoch', of: (input) => accuracyRows(input) },
}

/** Returns undefined if no accuracy is measured in training. */
export function accuracyRows(input: ReportInput): readonly AccuracyRow[] | undefined {
  const rows = trainedModels(input.run.plan).flatMap(({ label, stages }): AccuracyRow[] => {
    const measured = stages.filter((stage) => accuracyOf(stage) !== undefined)
    return measured.length > 0 ? [{ label, seeds: measured.map((stage) => pointsOf(input, stage)) }] : []
  })
  return rows.length > 0 ? rows : undefined
}

function accuracyOf({ params }: StageOf<'train'>): AccuracySpec | undefined {
  return 'training' in params ? params.training.accuracy : undefined
}

function pointsOf(input: ReportInput, stage: StageOf<'train'>): AccuracyRow['seeds'][number] {
  const points = manifestOf<'train'>(input, stage)?.metrics.accuracy
  return points ? { points } : { missing: whyMissing(input, [stage]) }
}

const sets = ['training', 'validation'] as const

function valuesOf(label: string, seeds: AccuracyRow['seeds']): readonly AccuracyValue[] {
  const curves = seeds.flatMap((seed) => ('points' in seed ? [seed.points] : []))
  return meanAccuracies(curves).flatMap((point) =>
    sets.flatMap((samples) => {
      const figure: Measured | undefined = point[samples]
      return figure && 'value' in figure
        ? [{ model: label, samples, epoch: point.epoch, accuracy: figure.value }]
        : []
    }),
  )
}

function introduction({ run: { plan, spec } }: ReportInput, values: readonly AccuracyValue[]): string {
  const most = Math.max(
    ...trainedModels(plan).flatMap(({ stages }) =>
      stages.flatMap((stage) => accuracyOf(stage)?.samples ?? []),
    ),
  )
  const hasValidation = values.some(({ samples }) => samples === 'validation')
  const others =
    spec.split.kind === 'class' ? ' Validation samples are of the classes that the model is trained on.' : ''
  return [
    `Accuracy of the models in training, without augmentation, on at most ${counted(most, 'sample')} of each set, the same ones at every point. `,
    hasValidation
      ? `Solid lines are training samples, dashed ones validation samples, which no model is trained on.${others}`
      : 'The data has no validation samples, so that lines are training samples.',
    plan.seeds ? ' Lines are means over the seeds.' : '',
  ].join('')
}

function lastWords({ label, values }: { readonly label: string; readonly values: readonly AccuracyValue[] }) {
  const ends = sets.flatMap((samples) => {
    const last = values.filter((value) => value.samples === samples).at(-1)
    return last ? [`${percent(last.accuracy)}% on ${samples} samples`] : []
  })
  const epochs = values.at(-1)?.epoch ?? NaN
  return `${label}: ${ends.join(' and ')} after ${Number(epochs.toFixed(2))} epochs`
}
