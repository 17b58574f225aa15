import { digestOf } from '../common/canonical.ts'
import type { BlobRef, Manifest, ManifestOf } from '../experiment/records/manifest.ts'
import type { AccuracyPoint, CurvePoint } from '../experiment/records/measured.ts'
import { seedsAt } from '../experiment/plan/plan.ts'
import type { Candidate } from '../experiment/plan/types.ts'
import type { ResultRow } from '../experiment/records/results.ts'
import type { RunEnd, RunRecord } from '../experiment/records/run.ts'
import { requestedKinds } from '../experiment/stages/requested.ts'
import { settingsByKind, type StageKind } from '../experiment/stages/stage.ts'
import { rowsOf, seedsOf } from '../experiment/stages/stage-list.ts'
import { fitted, fittedName, type Metric, type Strings } from './limits.ts'
import type { DatasetInput } from './mlflow.ts'

/** The state of a run that is delivered to MLflow. */
export interface Tracked {
  readonly run: RunRecord
  /** Of each seed, one for each candidate and floor model of the plan, in its order. */
  readonly rows: readonly (readonly ResultRow[])[]
  /** Of the stages that finished, by stage key. */
  readonly manifests: Readonly<Record<string, Manifest>>
  /** Digest of the report's computed part, once there is a report. */
  readonly digest?: string | undefined
  /** Tells this store's run from the same run in another store. */
  readonly nonce: string
  /** Milliseconds since 1970, of the first delivery. */
  readonly startedAt: number
  /** Absent while the run goes on. */
  readonly ended?: RunEnd | undefined
  /** Of the report, once the run has ended. */
  readonly files?: readonly TrackedFile[]
  /** The registered models' names begin with it; absent where none are registered. */
  readonly register?: string | undefined
  /** Present where it is a cell of a sweep. */
  readonly cell?: TrackedCell | undefined
}

/** The values that distinguish one cell of a sweep from the others. */
export interface TrackedCell {
  /** On the run and on its children alike. */
  readonly params: Strings
  readonly tags: Strings
  /** Figures over all seeds; only those of approximate methods. */
  readonly rows: readonly ResultRow[]
}

export interface TrackedFile {
  /** Among the run's artifacts. */
  readonly path: string
  readonly blob: BlobRef
}

/** The contents of one MLflow run. */
export interface RunContents {
  /** Equal for what is the same MLflow run, whoever sends it and however often. */
  readonly key: string
  readonly name: string
  readonly startTime: number
  readonly status: RunEnd['status'] | 'RUNNING'
  readonly endTime?: number
  readonly params: Strings
  readonly tags: Strings
  readonly metrics: readonly Metric[]
  readonly inputs: readonly DatasetInput[]
  readonly files: readonly TrackedFile[]
  readonly models: readonly TrackedModel[]
}

/** A version of a registered model: a folder among the artifacts of its run. */
export interface TrackedModel {
  readonly name: string
  readonly folder: string
  /** Key of the stage that made it. */
  readonly stage: string
}

/** All runs of one delivery have it, with the same value. */
export const deliveryTag = 'zeroshift.delivery'
/** Marks the run that a client means, whoever created it. */
export const keyTag = 'zeroshift.key'
/**
 * The number of a child's row in the results, from 0; those of the second seed go on after the
 * first's.
 */
export const rowTag = 'zeroshift.row'
/** The id of a sweep: on its own run, on those of its cells and on their children. */
export const sweepTag = 'zeroshift.sweep'

/**
 * The MLflow runs of an experiment: a parent with the curves of the models that all rows share, and
 * a child for each model of each seed that was judged, with its options, figures and curves; once
 * the run has ended also for those that could not be. All times are those of the stages, and a
 * figure that is missing is a tag with the reason. The parent comes first.
 */
export function contentsOf(tracked: Tracked): readonly RunContents[] {
  const { plan } = tracked.run
  return [
    parentOf(tracked),
    ...seedsOf(plan).flatMap((seed, s) =>
      rowsOf(seed).flatMap((candidate, i) => childOf(tracked, candidate, s, i) ?? []),
    ),
  ]
}

function parentOf(tracked: Tracked): RunContents {
  const { run, manifests, nonce, startedAt, ended, files = [] } = tracked
  const { plan, spec, facts } = run
  const { methods: _methods, seeds, ...shared } = spec
  // A file's name may hold what a tag's name may not.
  const data = JSON.stringify(Object.fromEntries(facts.sources.map(({ name, sha256 }) => [name, sha256])))
  const failed = (run.failed ?? []).map(({ title, reason }) => `${title}: ${reason}`)
  return {
    key: nonce,
    name: run.id,
    startTime: startedAt,
    status: ended?.status ?? 'RUNNING',
    ...(ended && { endTime: ended.at }),
    ...fitted(
      { ...flat({ ...shared, ...(seeds !== undefined && { seeds }) }), ...tracked.cell?.params },
      {
        ...commonTags(tracked, nonce),
        'zeroshift.data': data,
        ...(ended && { 'zeroshift.failed': failed.length > 0 ? failed.join('\n') : 'nothing' }),
      },
    ),
    metrics: [
      ...cellFigures(tracked),
      ...seedsOf(plan).flatMap(({ original, gold }, s) =>
        [original, ...gold].flatMap(({ key }, i) =>
          curves(
            manifests[key],
            `${seeds === undefined ? '' : `seed ${s + 1}/`}${i === 0 ? 'original' : `gold ${i}`}/`,
          ),
        ),
      ),
    ],
    inputs: inputsOf(tracked),
    files: ended ? files : [],
    models: [],
  }
}

/**
 * Of the model of row `i` of seed `s`, both from 0. undefined: there is nothing to tell of it yet.
 */
function childOf(tracked: Tracked, candidate: Candidate, s: number, i: number): RunContents | undefined {
  const { run, rows, manifests, nonce, startedAt, ended } = tracked
  const row = rows[s]?.[i]
  if (candidate.label !== row?.label)
    throw new RangeError(`row ${i} is "${row?.label ?? 'not there'}", expected "${candidate.label}"`)
  const number = s * rowsOf(run.plan).length + i
  const isJudged = candidate.compare.key in manifests
  // What was interrupted may still come; what the run ended without does not.
  if (!isJudged && (!ended || ended.status === 'KILLED')) return undefined

  const { model, evaluate, attack, compare, unlearn } = candidate
  const own = [model, evaluate, attack, compare].flatMap(({ key }) => manifests[key] ?? [])
  const endTime = own.length > 0 ? Math.max(...own.map(endOf)) : (ended?.at ?? startedAt)
  // A stage that was computed anew is another run's: its points would stand beside the first one's.
  const key = digestOf({ nonce, row: number, finished: own.map(({ clock }) => clock.finishedAt) })
  const { methods: _methods, seeds, ...shared } = run.spec
  const figures = Object.entries(row.metrics)
  const reasons = figures.flatMap(([name, figure]) =>
    'missing' in figure ? [[`missing.${name}`, figure.missing] as const] : [],
  )
  const made = unlearn && manifests[unlearn.key]
  const models = made && isJudged ? modelsOf(tracked, made, candidate.label) : []
  return {
    key,
    name: seeds === undefined ? row.label : `${row.label}, seed ${s + 1}`,
    startTime: own.length > 0 ? Math.min(...own.map(startOf)) : endTime,
    status: isJudged ? 'FINISHED' : 'FAILED',
    endTime,
    ...fitted(
      {
        ...flat({
          ...shared,
          seed: seedsAt(run.spec, s),
          method: methodOf(tracked, unlearn) ?? { method: row.method },
        }),
        ...tracked.cell?.params,
      },
      {
        ...commonTags(tracked, key),
        [rowTag]: String(number),
        ...(seeds !== undefined && { 'zeroshift.seed': String(s + 1) }),
        ...stageTags(candidate),
        ...Object.fromEntries(reasons),
        ...(!isJudged && { 'zeroshift.failed': reasons[0]?.[1] ?? 'it was not compared with gold' }),
      },
    ),
    metrics: [
      ...figures.flatMap(([name, figure]) =>
        'value' in figure ? [{ key: name, value: figure.value, timestamp: endTime, step: 0 }] : [],
      ),
      ...judgements(tracked, candidate, s),
      ...curves(manifests[model.key]),
    ],
    inputs: [],
    files: models.flatMap(({ files }) => files),
    models: models.map(({ files: _, ...rest }) => rest),
  }
}

/**
 * The options that a method has: those that tuning chose, or else those of the config. Of an
 * external program, what its key contains.
 */
function methodOf({ manifests }: Tracked, unlearn: Candidate['unlearn']): object | undefined {
  const ranking = unlearn?.inputs.tuned && manifests[unlearn.inputs.tuned.key]
  if (ranking?.kind === 'tune') return ranking.metrics.ranking[0]?.method
  if (!unlearn) return undefined
  const { params } = unlearn
  return 'program' in params ? { method: 'external', ...params.program } : params.method
}

/**
 * What its methods came to, so that cells can be compared by themselves: under the figures' plain
 * names where there is one method, else under the method's label. Over several seeds, the step says
 * of how many each is the mean.
 */
function cellFigures({ cell, ended, manifests }: Tracked): Metric[] {
  if (!cell || ended?.status !== 'FINISHED') return []
  const timestamp = Math.max(0, ...Object.values(manifests).map(endOf))
  return cell.rows.flatMap(({ label, metrics }) =>
    Object.entries(metrics).flatMap(([name, figure]) =>
      'value' in figure
        ? [
            {
              key: cell.rows.length === 1 ? name : `${fittedName(label)}/${name}`,
              value: figure.value,
              timestamp,
              step: figure.n ?? 0,
            },
          ]
        : [],
    ),
  )
}

function commonTags({ run, nonce, digest, cell }: Tracked, key: string): Strings {
  return {
    [deliveryTag]: nonce,
    [keyTag]: key,
    ...cell?.tags,
    'zeroshift.run': run.id,
    ...(digest !== undefined && { 'zeroshift.report': digest }),
  }
}

function stageTags({ unlearn, evaluate, attack, compare, model }: Candidate): Strings {
  return {
    'zeroshift.stage.model': `${model.kind}/${model.key}`,
    ...(unlearn && { 'zeroshift.stage.unlearn': unlearn.key }),
    ...(unlearn?.inputs.tuned && { 'zeroshift.stage.tune': unlearn.inputs.tuned.key }),
    'zeroshift.stage.evaluate': evaluate.key,
    'zeroshift.stage.attack': attack.key,
    'zeroshift.stage.compare': compare.key,
  }
}

/**
 * The data set, and of it what is to be forgotten, once that is known. Their whole digests are in
 * the inputs' own tags.
 */
function inputsOf({ run: { facts, plan, spec }, manifests }: Tracked): DatasetInput[] {
  const input = (
    name: string,
    context: string,
    digest: string,
    parts: Pick<DatasetInput, 'source' | 'profile'>,
  ) => ({
    name,
    digest,
    ...parts,
    tags: { 'mlflow.data.context': context, 'zeroshift.digest': digest },
  })
  const data = input(facts.name, 'training', digestOf(facts.sources), {
    source: { name: facts.name, files: facts.sources },
    profile: { train: facts.train, test: facts.test },
  })
  const split = manifests[plan.split.key]
  if (split?.kind !== 'split') return [data]
  const { forget, retained, test } = split.metrics
  return [
    data,
    input(`${facts.name}, forget set`, 'forget', plan.split.key, {
      source: { of: facts.name, split: spec.split, seed: spec.seed.split },
      profile: { forget, retained, test },
    }),
  ]
}

/** The merged model, and the adapter where the method made one. */
function modelsOf(
  { register }: Tracked,
  { key, outputs }: Manifest,
  label: string,
): (TrackedModel & { readonly files: readonly TrackedFile[] })[] {
  if (register === undefined) return []
  // What a model's name, and the search for it, cannot hold.
  const name = `${register}-${label}`.replace(/[/:'"`]/g, '-')
  const model = (suffix: string, folder: string, files: Readonly<Record<string, BlobRef | undefined>>) => {
    const there = Object.entries(files).flatMap(([file, blob]) =>
      blob ? [{ path: `${folder}/${file}`, blob }] : [],
    )
    return there.length > 0 ? [{ name: `${name}${suffix}`, folder, stage: key, files: there }] : []
  }
  return [
    ...model('', 'model', { 'model.safetensors': outputs.model }),
    ...model('-adapter', 'adapter', {
      'adapter_config.json': outputs['adapter_config.json'],
      'adapter_model.safetensors': outputs['adapter_model.safetensors'],
    }),
  ]
}

/** Milliseconds since 1970. */
const endOf = ({ clock }: Pick<Manifest, 'clock'>) => Date.parse(clock.finishedAt)
const startOf = (manifest: Manifest) => endOf(manifest) - Math.round(1000 * manifest.clock.seconds)

/**
 * The figures of the stages that judge a model after it was compared with gold, each at the time of
 * its stage.
 */
function judgements({ run, manifests }: Tracked, candidate: Candidate, s: number): readonly Metric[] {
  const reference = seedsOf(run.plan)[s]?.reference
  return (['membership', ...requestedKinds] as const).flatMap((kind) => {
    const [own, gold] = [candidate, reference].map((judged) => manifests[judged?.[kind]?.key ?? ''])
    return own ? judgement(own, gold) : []
  })
}

/** The figures of a stage. `gold` is the manifest of the same stage for the gold model. */
function judgement<K extends StageKind>(own: ManifestOf<K>, gold?: ManifestOf<K>): readonly Metric[] {
  const figures = settingsByKind[own.kind].tracked?.(own.metrics, gold?.metrics) ?? []
  return figures.flatMap(({ key, figure, step = 0 }) =>
    'value' in figure ? [{ key, value: figure.value, timestamp: endOf(own), step }] : [],
  )
}

function curves(manifest: Manifest | undefined, prefix = ''): Metric[] {
  if (manifest?.kind !== 'train' && manifest?.kind !== 'unlearn') return []
  const timestamp = endOf(manifest)
  const { curve } = manifest.metrics
  const residuals = manifest.kind === 'unlearn' ? (manifest.metrics.residuals ?? []) : []
  const norms = manifest.kind === 'unlearn' ? manifest.metrics.norms : undefined
  const accuracies = manifest.kind === 'train' ? (manifest.metrics.accuracy ?? []) : []
  return [
    ...curve.flatMap(({ step, loss, learningRate, accuracy }: CurvePoint) => [
      { key: `${prefix}loss`, value: loss, timestamp, step },
      ...(learningRate === undefined
        ? []
        : [{ key: `${prefix}learning rate`, value: learningRate, timestamp, step }]),
      ...(accuracy === undefined ? [] : [{ key: `${prefix}accuracy`, value: accuracy, timestamp, step }]),
    ]),
    ...residuals.flatMap(({ step, retained, forget }) => [
      { key: `${prefix}residual/retained`, value: retained, timestamp, step },
      { key: `${prefix}residual/forget`, value: forget, timestamp, step },
    ]),
    ...(norms?.points ?? []).flatMap((point) =>
      (['retained', 'forget'] as const).flatMap((set) =>
        point[set].map((value, layer) => ({
          key: `${prefix}residual norm/${set}/${fittedName(norms?.layers[layer] ?? '')}`,
          ...{ value, timestamp, step: point.step },
        })),
      ),
    ),
    ...accuracies.flatMap((point: AccuracyPoint) =>
      (['training', 'validation'] as const).flatMap((set) => {
        const figure = point[set]
        return figure && 'value' in figure
          ? [{ key: `${prefix}accuracy/${set}`, value: figure.value, timestamp, step: point.step }]
          : []
      }),
    ),
  ]
}

/** Nested values by dotted path: { a: { b: 1 } } is { 'a.b': '1' }. */
function flat(value: unknown, path = ''): Strings {
  if (typeof value !== 'object' || value === null)
    return { [fittedName(path)]: typeof value === 'string' ? value : JSON.stringify(value) }
  if (Array.isArray(value)) return { [fittedName(path)]: JSON.stringify(value) }
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]) => flat(inner, path ? `${path}.${key}` : key)),
  ) as Strings
}
