import { trainingFlops } from '../../experiment/models/flops.ts'
import type { Shape } from '../../experiment/models/layers.ts'
import { checkpointOf, layersOf } from '../../experiment/models/model.ts'
import { preparedShape } from '../../experiment/models/preparation.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import { manifestDigest, type Manifest, type ManifestOf } from '../../experiment/records/manifest.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Trained } from '../../experiment/stages/train.ts'
import { settingsByKind, type StageKind } from '../../experiment/stages/stage.ts'
import { prose, type Row, type Section } from '../blocks.ts'
import { counted } from '../../common/counted.ts'
import { duration, short, significant } from '../format.ts'
import { manifestOf, whyMissing, type ReportInput } from '../input.ts'
import { isOverlapped, OVERLAPPED, signs } from '../marks.ts'

/** Every stage with its key, the digest of its result and its seconds. */
export function stagesSection(input: ReportInput): Section {
  const stages = stagesOf(input.run.plan)
  const clocks = stages.flatMap(({ key }) => input.manifests[key]?.clock ?? [])
  const total = clocks.reduce((sum, { seconds }) => sum + seconds, 0)
  const rows = stages.map((stage): Row => {
    const { key, title } = stage
    const manifest = input.manifests[key]
    const start = [title, manifest ? workOf(manifest, input) : '', { text: short(key), digest: key }]
    if (!manifest) return { cells: [...start, { text: 'n/a', note: whyMissing(input, [stage]) }, ''] }
    const digest = manifestDigest(manifest)
    return {
      cells: [
        ...start,
        { text: short(digest), digest },
        {
          text: significant(manifest.clock.seconds),
          mark: isOverlapped(manifest.clock) ? signs.timesOverlapped : undefined,
        },
      ],
    }
  })
  return {
    title: 'Stages',
    pageOnly: true,
    blocks: [
      prose(
        "A stage's key is the digest of its definition: its kind, version, parameters and inputs. Its result is the digest of its figures and outputs. Seconds are those of the work itself, whenever it was done: a result that was in the store already is not computed again.",
      ),
      {
        kind: 'table',
        name: 'Stages',
        id: 'stages',
        columns: [
          { label: 'Stage' },
          { label: 'Work', text: true },
          { label: 'Key', text: true },
          { label: 'Result', text: true },
          { label: 'Seconds' },
        ],
        rows: [...rows, { cells: ['All', '', '', '', duration(total)], style: 'total' }],
        notes: clocks.some(isOverlapped) ? [`${signs.timesOverlapped} ${OVERLAPPED}`] : [],
      },
    ],
  }
}

/** The amount of work of a stage in a few words, such as `90 steps, 13,242 parameters`. */
function workOf(manifest: Manifest, input: ReportInput): string {
  return manifest.kind === 'train' ? trainingOf(manifest, input) : describedWork(manifest)
}

function describedWork<K extends StageKind>({ kind, metrics }: ManifestOf<K>): string {
  return settingsByKind[kind].work?.(metrics) ?? ''
}

/** Every batch is full, so that the steps tell how many samples were seen. */
function trainingOf({ params, metrics, clock }: ManifestOf<'train'>, input: ReportInput): string {
  const { steps, parameters } = metrics
  if (params.on === 'given') return parameters ? counted(parameters, 'parameter') : 'logits'
  if ('program' in params) return counted(steps, 'step')
  const { dataset, split } = input.run.plan
  const size =
    params.on === 'retained'
      ? manifestOf<'split'>(input, split)?.metrics.retained
      : manifestOf<'dataset'>(input, dataset)?.metrics.train
  // A set that is smaller than a batch makes one batch.
  const seen = size === undefined ? 0 : steps * Math.min(params.training.batchSize, size)
  const parts = [counted(steps, 'step'), ...(seen === 0 ? [] : [`${counted(seen, 'sample')} seen`])]
  const cost = seen === 0 ? [] : costOf(params, seen, clock.seconds, input)
  const counts = parameters === undefined ? [] : [counted(parameters, 'parameter')]
  return [...parts, ...counts, ...cost].join(', ')
}

/**
 * `0.182 PFLOP at 121 GFLOP/s`: the operations of a training in a unit that fits, and how many it
 * made a second. Empty if only a part of the model was trained.
 */
function costOf(
  { model, training }: Trained,
  seen: number,
  seconds: number,
  { run: { facts } }: ReportInput,
): readonly string[] {
  if (training.tune) return []
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const flops = trainingFlops(layers, inputShape(model, facts.shape), seen)
  const rate = seconds > 0 ? ` at ${significant(flops / seconds / 1e9)} GFLOP/s` : ''
  const [unit, size] = units.find(([, size]) => flops >= 0.01 * size) ?? ['FLOP', 1]
  return [`${significant(flops / size)} ${unit}${rate}`]
}

/** Units of operations, largest first. */
const units = [
  ['PFLOP', 1e15],
  ['TFLOP', 1e12],
  ['GFLOP', 1e9],
  ['MFLOP', 1e6],
] as const

function inputShape(model: ModelSpec, shape: Shape): Shape {
  if (model.name !== 'pretrained') return shape
  const { preparation, architecture } = checkpointOf(model)
  return preparedShape(shape, preparation, architecture.channels)
}
