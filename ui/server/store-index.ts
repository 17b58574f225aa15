import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { StoredObject } from '../../artifacts/store/object-store.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { errorMessage } from '../../common/errors.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { dataName } from '../../experiment/spec/data-name.ts'
import { modelName } from '../../experiment/spec/model.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { describeSplit } from '../../report/describe.ts'
import type { RunEntry } from '../contract.ts'

/** A run of the store, as its record, its labels and its stages have it. */
export interface StoredRun {
  /** The entry of a run that no Temporal server knows. */
  readonly entry: RunEntry
  /** Whether the run was started by itself, not only as a cell of a sweep. */
  readonly isOwn: boolean
  /** The date of its report, in milliseconds since 1970. Absent if there is none. */
  readonly reportedAt?: number
}

export interface StoredSweep {
  readonly id: string
  readonly name: string
  /** By cell: the ids of its runs, one per rung. */
  readonly cells: readonly (readonly string[])[]
  /** The runs of the cells that failed. Undefined if the sweep has not ended. */
  readonly failed: ReadonlySet<string> | undefined
  readonly changedAt: number
}

/** The parts of a record that decide the entry of its run. */
interface RecordFacts {
  readonly base: Pick<RunEntry, 'name' | 'dataset' | 'model' | 'split' | 'methods'>
  readonly stages: number
  readonly failures: RunEntry['failures']
  /** The keys of its stages. Absent if all of them have results, so that none is counted. */
  readonly keys?: readonly string[]
  readonly isEnded: boolean
  readonly isDamaged: boolean
}

interface Known {
  readonly stamp: string
  readonly facts: RecordFacts
  readonly labels: Pick<RunEntry, 'tags' | 'note'>
  /** The number of stages with results when `run` was made. */
  readonly done: number
  readonly run: StoredRun
}

/**
 * The runs and sweeps of a store. Records are read again only if they have changed, and of each one
 * a few lines are kept. The entry of an unchanged run stays the same object.
 */
export class StoreIndex {
  private readonly artifacts: Artifacts
  private runsById: ReadonlyMap<string, Known> = new Map()
  private sweepsById: ReadonlyMap<string, { readonly stamp: string; readonly sweep: StoredSweep }> = new Map()
  private cells: ReadonlyMap<string, string> = new Map()

  constructor(artifacts: Artifacts) {
    this.artifacts = artifacts
  }

  get(id: string): StoredRun | undefined {
    return this.runsById.get(id)?.run
  }

  runs(): readonly StoredRun[] {
    return [...this.runsById.values()].map(({ run }) => run)
  }

  sweeps(): readonly StoredSweep[] {
    return [...this.sweepsById.values()].map(({ sweep }) => sweep)
  }

  sweep(id: string): StoredSweep | undefined {
    return this.sweepsById.get(id)?.sweep
  }

  /** The sweep that has a run as a cell. */
  sweepOf(run: string): string | undefined {
    return this.cells.get(run)
  }

  /** Reads the parts of the store that have changed. */
  async refresh(): Promise<void> {
    const { store } = this.artifacts
    await this.refreshSweeps(foldersIn('sweeps', await store.list('sweeps/')))
    const folders = foldersIn('runs', await store.list('runs/'))
    const read = await mapConcurrently([...folders], async ([id, objects]) => {
      const known = this.runsById.get(id)
      const stamp = stampOf(objects, ['run.json', 'labels.json'])
      if (known?.stamp === stamp) return { id, objects, stamp, facts: known.facts, labels: known.labels }
      const [facts, labels] = await Promise.all([this.factsOf(id), this.labelsOf(id)])
      return { id, objects, stamp, facts, labels }
    })
    const isCounted = read.some(({ facts }) => facts?.keys)
    const finished = isCounted ? await this.finishedStages() : new Set<string>()
    this.runsById = new Map(
      read.flatMap(({ facts, ...rest }) =>
        facts ? [[rest.id, this.knownOf({ ...rest, facts }, finished)]] : [],
      ),
    )
  }

  private async refreshSweeps(folders: ReadonlyMap<string, readonly StoredObject[]>): Promise<void> {
    const read = await mapConcurrently([...folders], async ([id, objects]) => {
      const stamp = stampOf(objects, ['sweep.json'])
      const known = this.sweepsById.get(id)
      if (known?.stamp === stamp) return [[id, known] as const]
      const record = await this.artifacts.sweep(id).catch(() => undefined)
      const changedAt = dateOf(objects, 'sweep.json') ?? 0
      return record ? [[id, { stamp, sweep: summaryOf(record, changedAt) }] as const] : []
    })
    this.sweepsById = new Map(read.flat())
    this.cells = new Map(
      this.sweeps().flatMap(({ id, cells }) => cells.flat().map((run) => [run, id] as const)),
    )
  }

  /** Undefined if the record was deleted in the meantime. */
  private async factsOf(id: string): Promise<RecordFacts | undefined> {
    try {
      const record = await this.artifacts.run(id)
      return record && recordFacts(record)
    } catch (error) {
      return {
        base: { name: id, dataset: '', model: '', split: '', methods: [] },
        failures: [{ title: 'The record of the run', reason: errorMessage(error) }],
        ...{ stages: 0, isEnded: true, isDamaged: true },
      }
    }
  }

  private async labelsOf(id: string): Promise<Known['labels']> {
    const { tags = [], note } = (await this.artifacts.labels(id)) ?? {}
    return { tags, ...(note !== undefined && { note }) }
  }

  /** The keys of all stages that have a manifest. */
  private async finishedStages(): Promise<ReadonlySet<string>> {
    const objects = await this.artifacts.store.list('stages/')
    return new Set(
      objects.flatMap(({ path }) => /^stages\/[^/]+\/([^/]+)\/manifest\.json$/.exec(path)?.[1] ?? []),
    )
  }

  private knownOf(
    {
      id,
      objects,
      stamp,
      facts,
      labels,
    }: Pick<Known, 'stamp' | 'facts' | 'labels'> & {
      readonly id: string
      readonly objects: readonly StoredObject[]
    },
    finished: ReadonlySet<string>,
  ): Known {
    const { keys, stages } = facts
    const done = keys ? keys.filter((key) => finished.has(key)).length : stages
    const reportedAt = dateOf(objects, 'report/report.json')
    const isOwn = dateOf(objects, 'own.json') !== undefined
    const sweep = this.cells.get(id)
    const before = this.runsById.get(id)
    if (
      before?.stamp === stamp &&
      before.done === done &&
      before.run.reportedAt === reportedAt &&
      before.run.isOwn === isOwn &&
      before.run.entry.sweep === sweep
    )
      return before
    const changedAt = Math.max(dateOf(objects, 'run.json') ?? 0, reportedAt ?? 0)
    const entry: RunEntry = {
      id,
      ...facts.base,
      state: stateOf(facts, done),
      ...(sweep !== undefined && { sweep }),
      ...labels,
      ...(changedAt > 0 && { changedAt: new Date(changedAt).toISOString() }),
      stages: { all: stages, done, running: 0, failed: facts.failures.length },
      failures: facts.failures,
      hasReport: reportedAt !== undefined,
    }
    return {
      stamp,
      facts,
      labels,
      done,
      run: { entry, isOwn, ...(reportedAt !== undefined && { reportedAt }) },
    }
  }
}

function recordFacts({ spec, facts, plan, failed }: RunRecord): RecordFacts {
  const keys = stagesOf(plan).map(({ key }) => key)
  return {
    base: {
      name: spec.name,
      dataset: dataName(spec.data),
      model: modelName(spec.model),
      split: describeSplit(spec.split, facts),
      methods: [
        ...new Set(spec.methods.map((row) => (row.method === 'plugin' ? row.plugin.name : row.method))),
      ],
    },
    stages: keys.length,
    failures: failed ?? [],
    ...(failed?.length !== 0 && { keys }),
    isEnded: failed !== undefined,
    isDamaged: false,
  }
}

function stateOf({ isDamaged, isEnded, failures, stages }: RecordFacts, done: number): RunEntry['state'] {
  if (isDamaged) return 'failed'
  if (isEnded) return failures.length > 0 ? 'incomplete' : 'completed'
  return done === stages ? 'completed' : 'interrupted'
}

function summaryOf({ id, name, cells, failures }: SweepRecord, changedAt: number): StoredSweep {
  return {
    ...{ id, name, changedAt },
    cells: cells.map(({ runs }) => runs),
    failed: failures && new Set(failures.map(({ run }) => run)),
  }
}

/** The objects of the folders that have a record, by the names of the folders. */
function foldersIn(
  kind: 'runs' | 'sweeps',
  objects: readonly StoredObject[],
): ReadonlyMap<string, readonly StoredObject[]> {
  const folders = new Map<string, StoredObject[]>()
  for (const object of objects) {
    const [, id = ''] = object.path.split('/')
    const folder = folders.get(id)
    if (folder) folder.push(object)
    else folders.set(id, [object])
  }
  const record = kind === 'runs' ? 'run.json' : 'sweep.json'
  return new Map(
    [...folders].filter(([id, own]) => own.some(({ path }) => path === `${kind}/${id}/${record}`)),
  )
}

function dateOf(objects: readonly StoredObject[], name: string): number | undefined {
  return objects.find(({ path }) => path.split('/').slice(2).join('/') === name)?.modified
}

function stampOf(objects: readonly StoredObject[], names: readonly string[]): string {
  return names
    .map((name) => {
      const found = objects.find(({ path }) => path.split('/').slice(2).join('/') === name)
      return found ? `${found.modified} ${found.bytes}` : '-'
    })
    .join(', ')
}
