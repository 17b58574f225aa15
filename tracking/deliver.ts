import { digestOf } from '../common/canonical.ts'
import type { BlobRef } from '../experiment/records/manifest.ts'
import { deliveryTag, keyTag, rowTag, type RunContents } from './contents.ts'
import type { Metric } from './limits.ts'
import type { Created, MlflowClient, ServerRun } from './mlflow.ts'

/** The state of a delivery in the store of the run, and access to its blobs. */
export interface Ledger {
  /**
   * What an earlier call noted. Only saves requests: without it everything is compared with the
   * server again.
   */
  readonly note: Note | undefined
  keep(note: Note): Promise<void>
  /** The id that was claimed under a name, if there is one. */
  claimed(name: string): Promise<string | undefined>
  /** Claims a name for an id. If several ids claim it, the first one is valid for everybody. */
  claim(name: string, id: string): Promise<void>
  read(blob: BlobRef): Promise<Uint8Array>
}

/** What the server has accepted so far. */
export interface Note {
  /** Address and experiment. */
  readonly server: string
  readonly experiment: string
  /** By the runs' keys. */
  readonly runs: Readonly<Record<string, NotedRun>>
}

interface NotedRun {
  readonly id: string
  /** Digests of the points, by metric. */
  readonly metrics: Readonly<Record<string, string>>
  readonly inputs?: string
  /** SHA-256 by path. */
  readonly files: Readonly<Record<string, string>>
  /** Versions of registered models, by name and stage. */
  readonly models: Readonly<Record<string, string>>
}

export interface Delivered {
  /** The number of points that this call sent. */
  readonly points: number
  /** MLflow runs that something was sent to now. */
  readonly runs: number
  /** Messages about what could not be sent. */
  readonly notes: readonly string[]
}

/**
 * The run that all runs of a delivery are below. It is made where it is not there; what becomes of
 * it is not theirs to say.
 */
export interface Above {
  readonly content: RunContents
  readonly ledger: Pick<Ledger, 'claimed' | 'claim'>
}

/**
 * Brings MLflow to hold what `contents` says, a parent run and then its children. Exactly once in
 * effect: a run is made by one of all who deliver it, and the server is asked for the points that
 * it has wherever they may have been sent before. Where nothing is new, this is one request, and
 * one more for a run above.
 *
 * @param experiment  the MLflow experiment's name
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
  const bring = async (content: RunContents): Promise<ServerRun> => {
    const before = note.runs[content.key]
    const known = before && there.find((run) => run.id === before.id)
    const { run, isNew } = known
      ? { run: known, isNew: false }
      : await settled(client, ledger, id, `${place}/${content.key}`, content, there)
    const sent = await send(client, run, content, { isNew, before: known && before })
    points += sent.points
    if (sent.noted) await keep(content.key, sent.noted)
    await removeOthers(client, run, content, there)
    return run
  }
  const top = above && (await standing(client, id, place, above))
  const parentRun = await bring(top ? below(top, parent) : parent)
  const runs = [parentRun]
  for (const child of children) runs.push(await bring(below(parentRun, child)))

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
      else notes.add(notPassedOn(run))
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

/** The run above. Whoever makes it sends what it holds so far. */
async function standing(
  client: MlflowClient,
  experiment: string,
  place: string,
  { content, ledger }: Above,
): Promise<ServerRun> {
  const there = await client.runsWith(experiment, deliveryTag, content.tags[deliveryTag] ?? '')
  const key = `${place}/${content.key}`
  const { run, isNew } = await settled(client, ledger, experiment, key, content, there)
  if (isNew) await send(client, run, content, { isNew, before: undefined })
  return run
}

const serverOf = ({ address }: MlflowClient, experiment: string) => `${address}#${experiment}`

/**
 * The run that stands for a key, made where there is none. `runs/create` takes no id, so two who
 * deliver at the same time may both make one: the first to claim the key in the store wins, and the
 * other's is deleted. Where a person deleted the run that stood, the next is claimed under its
 * name.
 */
async function settled(
  client: MlflowClient,
  ledger: Above['ledger'],
  experiment: string,
  place: string,
  content: RunContents,
  there: readonly ServerRun[],
): Promise<Created> {
  const standing = await ledger.claimed(place)
  if (standing !== undefined) {
    const run = there.find(({ id }) => id === standing) ?? (await client.run(standing))
    if (run) return { run, isNew: false }
    return settled(client, ledger, experiment, `${place}/${standing}`, content, there)
  }
  // Made by somebody who was stopped before the claim, or is about to make it.
  const { name, startTime, tags } = content
  const orphan = there.find((run) => run.tags[keyTag] === content.key)
  const made = orphan
    ? { run: orphan, isNew: false }
    : await client.createRun(experiment, { name, startTime, tags, mark: keyTag })
  await ledger.claim(place, made.run.id)
  const winner = await ledger.claimed(place)
  if (winner === made.run.id) return made
  if (made.isNew) await client.deleteRun(made.run.id)
  return settled(client, ledger, experiment, place, content, there)
}

/** Deletes runs that lost their claim, and those in which the same row failed before. */
async function removeOthers(
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
 * Sends what a run lacks of its contents but its files, its status last. `noted` is undefined where
 * it lacked nothing.
 */
async function send(
  client: MlflowClient,
  run: ServerRun,
  content: RunContents,
  { isNew, before }: { readonly isNew: boolean; readonly before: NotedRun | undefined },
): Promise<{ readonly points: number; readonly noted?: NotedRun }> {
  // The server refuses to change a parameter.
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

/** Says what kind of place it is, without its names. */
function notPassedOn({ artifacts }: ServerRun): string {
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
