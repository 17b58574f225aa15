import { digestOf } from '../common/canonical.ts'
import type { BlobRef } from '../experiment/records/manifest.ts'
import { deliveryTag, keyTag, rowTag, type RunContents } from './contents.ts'
import type { Metric } from './limits.ts'
import type { Created, MlflowClient, ServerRun } from './mlflow.ts'

/** The state of a delivery in the store of the run, and access to its blobs. */
export interface Ledger {
  /**
   * The note that an earlier call kept, if there is one. It saves requests: without it, everything
   * is compared with the server again.
   */
  readonly note: Note | undefined
  /** Replaces the note. */
  keep(note: Note): Promise<void>
  /** The id that was claimed under a name, if there is one. */
  claimed(name: string): Promise<string | undefined>
  /** Claims a name for an id. If several ids claim it, the first one is valid for everybody. */
  claim(name: string, id: string): Promise<void>
  read(blob: BlobRef): Promise<Uint8Array>
}

/** What the server has accepted so far. */
export interface Note {
  /** The address of the server and the name of the experiment. */
  readonly server: string
  /** The id of the experiment. */
  readonly experiment: string
  /** The state of each run, by the run's key. */
  readonly runs: Readonly<Record<string, NotedRun>>
}

/** What the server has accepted of one run. */
interface NotedRun {
  /** The id of the run on the server. */
  readonly id: string
  /** The digest of the points of each metric. */
  readonly metrics: Readonly<Record<string, string>>
  /** The digest of the data sets. */
  readonly inputs?: string
  /** The SHA-256 of each file, by path. */
  readonly files: Readonly<Record<string, string>>
  /** The versions of registered models, by name and stage. */
  readonly models: Readonly<Record<string, string>>
}

/** The result of a delivery. */
export interface Delivered {
  /** The number of points that this call sent. */
  readonly points: number
  /** The number of MLflow runs that this call changed. */
  readonly runs: number
  /** Messages about files that could not be sent. */
  readonly notes: readonly string[]
}

/**
 * The MLflow run of a sweep, which is the parent of the runs of its cells. The delivery of a cell
 * creates it if it does not exist, and changes nothing of an existing one.
 */
export interface Above {
  readonly content: RunContents
  readonly ledger: Pick<Ledger, 'claimed' | 'claim'>
}

/**
 * Makes MLflow have `contents`, which are a parent run and then its children. The effect is the
 * same if several processes deliver the same contents, or if one does so again: only one of them
 * creates a run, and points that may have been sent before are compared with those of the server.
 * If nothing is new, this takes one request, and one more with a run `above`.
 *
 * @param experiment  the name of the MLflow experiment
 */
export async function deliver(
  client: MlflowClient,
  experiment: string,
  contents: readonly RunContents[],
  ledger: Ledger,
  above?: Above,
): Promise<Delivered> {
  const [parent, ...children] = contents
  if (!parent) throw new RangeError('a delivery has a parent run')
  const delivery = parent.tags[deliveryTag] ?? ''

  const noted = ledger.note?.server === serverOf(client, experiment) ? ledger.note : undefined
  let id = noted?.experiment
  let there = id === undefined ? [] : await client.runsWith(id, deliveryTag, delivery)
  if (id === undefined || there.length === 0) {
    id = await client.experiment(experiment)
    there = await client.runsWith(id, deliveryTag, delivery)
  }

  let note: Note = { server: serverOf(client, experiment), experiment: id, runs: noted?.runs ?? {} }
  const place = digestOf({ server: client.address, experiment: id })
  const sentTo = new Set<string>()
  const keep = async (key: string, latest: NotedRun) => {
    sentTo.add(key)
    note = { ...note, runs: { ...note.runs, [key]: latest } }
    await ledger.keep(note)
  }

  let points = 0
  const deliverRun = async (content: RunContents): Promise<ServerRun> => {
    const before = note.runs[content.key]
    const known = before && there.find((run) => run.id === before.id)
    const { run, isNew } = known
      ? { run: known, isNew: false }
      : await findOrCreateRun(client, ledger, id, `${place}/${content.key}`, content, there)
    const sent = await send(client, run, content, { isNew, before: known && before })
    points += sent.points
    if (sent.noted) await keep(content.key, sent.noted)
    await deleteDuplicates(client, run, content, there)
    return run
  }
  const top = above && (await runAbove(client, id, place, above))
  const parentRun = await deliverRun(top ? below(top, parent) : parent)
  const runs = [parentRun]
  for (const child of children) runs.push(await deliverRun(below(parentRun, child)))

  // Files last: they are large, and figures must not wait for them.
  const notes = new Set<string>()
  for (const [i, run] of runs.entries()) {
    const content = contents[i]
    const before = content && note.runs[content.key]
    if (!before) continue
    for (const file of content.files) {
      const latest = note.runs[content.key] ?? before
      if (latest.files[file.path] === file.blob.sha256) continue
      if (await client.upload(run, file.path, await ledger.read(file.blob)))
        await keep(content.key, { ...latest, files: { ...latest.files, [file.path]: file.blob.sha256 } })
      else notes.add(filesNotSent(run))
    }
    for (const model of notes.size > 0 ? [] : content.models) {
      const latest = note.runs[content.key] ?? before
      const known = `${model.name}/${model.stage}`
      if (known in latest.models) continue
      const source = `${run.artifacts.replace(/\/$/, '')}/${model.folder}`
      const version = await client.modelVersion({
        name: model.name,
        source,
        run: run.id,
        tag: 'zeroshift.stage',
        value: model.stage,
      })
      await keep(content.key, { ...latest, models: { ...latest.models, [known]: version } })
    }
  }
  return { points, runs: sentTo.size, notes: [...notes] }
}

function below({ id }: ServerRun, content: RunContents): RunContents {
  return { ...content, tags: { ...content.tags, 'mlflow.parentRunId': id } }
}

/** Returns the run above. If this call creates the run, it sends the run's contents, too. */
async function runAbove(
  client: MlflowClient,
  experiment: string,
  place: string,
  { content, ledger }: Above,
): Promise<ServerRun> {
  const there = await client.runsWith(experiment, deliveryTag, content.tags[deliveryTag] ?? '')
  const key = `${place}/${content.key}`
  const { run, isNew } = await findOrCreateRun(client, ledger, experiment, key, content, there)
  if (isNew) await send(client, run, content, { isNew, before: undefined })
  return run
}

const serverOf = ({ address }: MlflowClient, experiment: string) => `${address}#${experiment}`

/**
 * Returns the run that was claimed for a key, and creates one if there is none. `runs/create` takes
 * no id, so that two processes may both create a run at the same time. The run of the first one to
 * claim the key in the store stays, and the other one is deleted. If a person has deleted the
 * claimed run, another one is claimed under the key followed by the id of the deleted one.
 */
async function findOrCreateRun(
  client: MlflowClient,
  ledger: Above['ledger'],
  experiment: string,
  place: string,
  content: RunContents,
  there: readonly ServerRun[],
): Promise<Created> {
  const claimed = await ledger.claimed(place)
  if (claimed !== undefined) {
    const run = there.find(({ id }) => id === claimed) ?? (await client.run(claimed))
    if (run) return { run, isNew: false }
    return findOrCreateRun(client, ledger, experiment, `${place}/${claimed}`, content, there)
  }
  // Another process created this run and was stopped before the claim, or is about to claim it.
  const { name, startTime, tags } = content
  const orphan = there.find((run) => run.tags[keyTag] === content.key)
  const made = orphan
    ? { run: orphan, isNew: false }
    : await client.createRun(experiment, { name, startTime, tags, mark: keyTag })
  await ledger.claim(place, made.run.id)
  const winner = await ledger.claimed(place)
  if (winner === made.run.id) return made
  if (made.isNew) await client.deleteRun(made.run.id)
  return findOrCreateRun(client, ledger, experiment, place, content, there)
}

/** Deletes runs whose claim came second, and earlier runs of the same row that failed. */
async function deleteDuplicates(
  client: MlflowClient,
  run: ServerRun,
  { tags }: RunContents,
  there: readonly ServerRun[],
): Promise<void> {
  const row = tags[rowTag]
  for (const other of there) {
    if (other.id === run.id) continue
    const isSame = other.tags[keyTag] === tags[keyTag]
    const isEarlier = row !== undefined && other.tags[rowTag] === row && other.status === 'FAILED'
    if (isSame || isEarlier) await client.deleteRun(other.id)
  }
}

/**
 * Sends the missing contents of a run, except files. The status is sent last. `noted` is absent if
 * nothing was missing.
 */
async function send(
  client: MlflowClient,
  run: ServerRun,
  content: RunContents,
  { isNew, before }: { readonly isNew: boolean; readonly before: NotedRun | undefined },
): Promise<{ readonly points: number; readonly noted?: NotedRun }> {
  // The server does not let a parameter be changed.
  const params = where(content.params, (key) => !(key in run.params))
  const tags = where(content.tags, (key, value) => run.tags[key] !== value)
  const digests = digestsOf(content.metrics)
  const metrics = content.metrics.filter(({ key }) => before?.metrics[key] !== digests[key])
  const lacksFigures = [metrics, Object.keys(params), Object.keys(tags)].some(({ length }) => length > 0)
  const points = lacksFigures ? await client.log(run.id, { metrics, params, tags }, { asks: !isNew }) : 0

  const inputs = digestOf(content.inputs)
  const lacksInputs = content.inputs.length > 0 && before?.inputs !== inputs
  if (lacksInputs) await client.inputs(run.id, content.inputs)

  const { status, endTime } = content
  const isOther = run.status !== status || (endTime !== undefined && run.endTime !== endTime)
  if (isOther) await client.update(run.id, status, endTime)

  if (before && !lacksFigures && !lacksInputs && !isOther) return { points }
  const { files = {}, models = {} } = before ?? {}
  return { points, noted: { id: run.id, metrics: digests, inputs, files, models } }
}

/** The message about files that cannot be sent. It has the kind of their place, and no name. */
function filesNotSent({ artifacts }: ServerRun): string {
  const place = URL.canParse(artifacts) ? `${new URL(artifacts).protocol}//…` : 'a directory'
  return `files were not sent to MLflow: this server keeps them at ${place} and takes none for it over HTTP`
}

function digestsOf(metrics: readonly Metric[]): Record<string, string> {
  const keys = new Map<string, unknown[]>()
  for (const { key, ...point } of metrics) {
    const points = keys.get(key)
    if (points) points.push(point)
    else keys.set(key, [point])
  }
  return Object.fromEntries([...keys].map(([key, points]) => [key, digestOf(points)]))
}

function where(
  strings: Readonly<Record<string, string>>,
  keep: (key: string, value: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(strings).filter(([key, value]) => keep(key, value)))
}
