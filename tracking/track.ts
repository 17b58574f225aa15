import { digestOf } from '../experiment/canonical.ts'
import type { CurvePoint, Manifest } from '../experiment/manifest.ts'
import type { Candidate } from '../experiment/plan.ts'
import type { ResultRow } from '../experiment/results.ts'
import type { RunRecord } from '../experiment/run.ts'
import type { Metric, MlflowClient, Strings } from './mlflow.ts'

export interface Tracked {
  readonly run: RunRecord
  /** One for each candidate and floor model of the plan, in its order. */
  readonly rows: readonly ResultRow[]
  readonly manifests: Readonly<Record<string, Manifest>>
  /** Digest of the report's computed part. */
  readonly digest: string
  /** The MLflow experiment's name. */
  readonly experiment: string
}

/**
 * Sends a finished run to MLflow: a parent run with the curves of the models that all rows share, and a child for each
 * model that was judged, with its options, figures and curves. Sent again, it changes nothing: all times are those of the
 * stages. A figure that is missing is a tag with the reason; a child that was not compared with gold has failed.
 */
export async function trackRun(
  client: MlflowClient,
  { run, rows, manifests, digest, experiment }: Tracked,
): Promise<void> {
  const { plan, spec, facts, id } = run
  const experimentId = await client.experiment(experiment)
  const startTime = Math.min(...Object.values(manifests).map(startOf))
  const endTime = Math.max(...Object.values(manifests).map(endOf))
  // Stages computed anew, in another store say, are another run even where their figures are the same: added to the
  // first, their points would stand beside its own at other times.
  const finished = Object.entries(manifests).map(([stage, { clock }]) => [stage, clock.finishedAt])
  const key = digestOf({ id, digest, finished: Object.fromEntries(finished) as Strings })
  const tags = { 'zeroshift.run': id, 'zeroshift.report': digest }

  const parent = await client.run(experimentId, { key, name: id, startTime, tags })
  const { methods: _methods, ...shared } = spec
  // A file's name may hold what a tag's name may not.
  const data = JSON.stringify(Object.fromEntries(facts.sources.map(({ name, sha256 }) => [name, sha256])))
  const trained = [plan.original, ...plan.gold]
  await client.log(parent, {
    params: flat(shared),
    tags: { 'zeroshift.data': data },
    metrics: trained.flatMap(({ key: stage }, i) =>
      curves(manifests[stage], i === 0 ? 'original/' : `gold ${i}/`),
    ),
  })

  const judged = [...plan.candidates, ...plan.floor]
  for (const [i, row] of rows.entries()) {
    const candidate = judged[i]
    if (candidate?.label !== row.label)
      throw new RangeError(`row ${i} is "${row.label}", expected "${candidate?.label ?? 'no more rows'}"`)
    const own = [candidate.model, candidate.evaluate, candidate.attack, candidate.compare].flatMap(
      ({ key: stage }) => manifests[stage] ?? [],
    )
    const started = own.length > 0 ? Math.min(...own.map(startOf)) : startTime
    const ended = own.length > 0 ? Math.max(...own.map(endOf)) : endTime
    const child = await client.run(experimentId, {
      key: `${key}/${i}`,
      name: row.label,
      startTime: started,
      tags: { ...tags, 'mlflow.parentRunId': parent },
    })
    const figures = Object.entries(row.metrics)
    await client.log(child, {
      params: flat({ ...shared, method: candidate.unlearn?.params.method ?? { method: row.method } }),
      tags: {
        ...stageTags(candidate),
        ...Object.fromEntries(
          figures.flatMap(([name, figure]) =>
            'missing' in figure ? [[`missing.${name}`, figure.missing]] : [],
          ),
        ),
      },
      metrics: [
        ...figures.flatMap(([name, figure]) =>
          'value' in figure ? [{ key: name, value: figure.value, timestamp: ended, step: 0 }] : [],
        ),
        ...curves(manifests[candidate.model.key]),
      ],
    })
    await client.end(child, candidate.compare.key in manifests ? 'FINISHED' : 'FAILED', ended)
  }
  await client.end(parent, 'FINISHED', endTime)
}

function stageTags({ unlearn, evaluate, attack, compare, model }: Candidate): Strings {
  return {
    'zeroshift.stage.model': `${model.kind}/${model.key}`,
    ...(unlearn && { 'zeroshift.stage.unlearn': unlearn.key }),
    'zeroshift.stage.evaluate': evaluate.key,
    'zeroshift.stage.attack': attack.key,
    'zeroshift.stage.compare': compare.key,
  }
}

/** Milliseconds since 1970. */
const endOf = ({ clock }: Manifest) => Date.parse(clock.finishedAt)
const startOf = (manifest: Manifest) => endOf(manifest) - Math.round(1000 * manifest.clock.seconds)

function curves(manifest: Manifest | undefined, prefix = ''): Metric[] {
  if (manifest?.kind !== 'train' && manifest?.kind !== 'unlearn') return []
  const timestamp = endOf(manifest)
  const { curve } = manifest.metrics
  const residuals = manifest.kind === 'unlearn' ? (manifest.metrics.residuals ?? []) : []
  return [
    ...curve.flatMap(({ step, loss, learningRate }: CurvePoint) => [
      { key: `${prefix}loss`, value: loss, timestamp, step },
      { key: `${prefix}learning rate`, value: learningRate, timestamp, step },
    ]),
    ...residuals.flatMap(({ step, retained, forget }) => [
      { key: `${prefix}residual/retained`, value: retained, timestamp, step },
      { key: `${prefix}residual/forget`, value: forget, timestamp, step },
    ]),
  ]
}

/** Nested values by dotted path: { a: { b: 1 } } is { 'a.b': '1' }. */
function flat(value: unknown, path = ''): Strings {
  if (typeof value !== 'object' || value === null)
    return { [path]: typeof value === 'string' ? value : JSON.stringify(value) }
  if (Array.isArray(value)) return { [path]: JSON.stringify(value) }
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]) => flat(inner, path ? `${path}.${key}` : key)),
  ) as Strings
}
