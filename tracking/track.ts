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
 * Sends a finished run to MLflow: a parent run for it, and a child for each model that was judged, with its options, figures
 * and curves. Sent again, it changes nothing: points carry the time at which their stage finished.
 */
export async function trackRun(
  client: MlflowClient,
  { run, rows, manifests, digest, experiment }: Tracked,
): Promise<void> {
  const { plan, spec, facts, id } = run
  const experimentId = await client.experiment(experiment)
  const times = Object.values(manifests).map(({ clock }) => Date.parse(clock.finishedAt))
  const [startTime, endTime] = [Math.min(...times), Math.max(...times)]
  // The digest tells runs of one id apart whose figures differ, after a code change say.
  const key = `${id}/${digest.slice(0, 16)}`
  const tags = { 'zeroshift.run': id, 'zeroshift.report': digest }

  const parent = await client.run(experimentId, { key, name: id, startTime, tags })
  const { methods: _methods, ...shared } = spec
  const data = Object.fromEntries(facts.sources.map(({ name, sha256 }) => [`data/${name}`, sha256]))
  await client.log(parent, { params: flat(shared), tags: data })

  const judged = [...plan.candidates, ...plan.floor]
  for (const [i, row] of rows.entries()) {
    const candidate = judged[i]
    if (!candidate) continue
    const child = await client.run(experimentId, {
      key: `${key}/${row.label}`,
      name: row.label,
      startTime,
      tags: { ...tags, 'mlflow.parentRunId': parent },
    })
    const finished = finishedAt(candidate, manifests, endTime)
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
          'value' in figure ? [{ key: name, value: figure.value, timestamp: finished, step: 0 }] : [],
        ),
        ...curves(manifests[candidate.model.key]),
      ],
    })
    await client.end(child, 'FINISHED', finished)
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

function finishedAt(
  { compare, evaluate, model }: Candidate,
  manifests: Tracked['manifests'],
  otherwise: number,
): number {
  const last = manifests[compare.key] ?? manifests[evaluate.key] ?? manifests[model.key]
  return last ? Date.parse(last.clock.finishedAt) : otherwise
}

function curves(manifest: Manifest | undefined): Metric[] {
  if (manifest?.kind !== 'train' && manifest?.kind !== 'unlearn') return []
  const timestamp = Date.parse(manifest.clock.finishedAt)
  const { curve } = manifest.metrics
  const residuals = manifest.kind === 'unlearn' ? (manifest.metrics.residuals ?? []) : []
  return [
    ...curve.flatMap(({ step, loss, learningRate }: CurvePoint) => [
      { key: 'loss', value: loss, timestamp, step },
      { key: 'learning rate', value: learningRate, timestamp, step },
    ]),
    ...residuals.flatMap(({ step, retained, forget }) => [
      { key: 'residual/retained', value: retained, timestamp, step },
      { key: 'residual/forget', value: forget, timestamp, step },
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
