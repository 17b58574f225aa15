import { fileURLToPath } from 'node:url'
import type { SearchAttributePair } from '@temporalio/common'
import type { Artifacts } from '../artifacts/artifacts.ts'
import { blobPath } from '../artifacts/format/layout.ts'
import { putDeletion, readLedger, readRequests, type StoredRequest } from '../artifacts/stored-ledgers.ts'
import { digestOf } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { nextBatch } from '../experiment/ledger/batch.ts'
import { claimOf, evidenceOf, judgementOf, refusalOf } from '../experiment/ledger/evidence.ts'
import type { DeletionRequest, LedgerRecord, SettledRequest } from '../experiment/ledger/ledger.ts'
import { notTested } from '../experiment/ledger/not-tested.ts'
import { stateAfter, type LedgerState } from '../experiment/ledger/state.ts'
import { stepSpec } from '../experiment/ledger/step.ts'
import { plan } from '../experiment/plan/plan.ts'
import { trainingSteps } from '../experiment/plan/training-steps.ts'
import type { SeedPlan } from '../experiment/plan/types.ts'
import {
  batchOf,
  type Attempt,
  type Deletion,
  type DeletionNotes,
  type NewDeletion,
} from '../experiment/records/deletion.ts'
import type { BlobRef, Manifest, ModelManifest } from '../experiment/records/manifest.ts'
import { deletionFlaws } from '../experiment/records/deletion-flaws.ts'
import { runId, type RunRecord } from '../experiment/records/run.ts'
import { searchAttributesOf } from '../experiment/records/search-attributes.ts'
import { filesDigest } from '../experiment/spec/given.ts'
import { setSizes } from '../experiment/spec/sets.ts'
import { bodiesOf, codeNamesOf } from '../experiment/stages/code.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import { partition } from '../learning/data/partition.ts'
import { seenByMethod } from '../report/samples-seen.ts'
import { merkleRoot } from '../signatures/merkle.ts'
import { changedCode } from './runtime/code-digests.ts'
import { output } from './runtime/blob-codecs.ts'
import { environmentHere } from './runtime/environment.ts'
import { recordIn } from './runtime/stored-run.ts'
import { SharedManifests, storedOutcome } from './stored-outcome.ts'

/** The activities of the workflow of a ledger, which itself has no access to the store. */

export interface LedgerTask {
  /** The name of the ledger. */
  readonly name: string
  readonly store: string
}

export interface NextTask extends LedgerTask {
  /** Whether a batch is settled at once, without waiting for its end. */
  readonly now?: boolean
}

/** One request, or several that are settled together. */
export interface RequestTask extends LedgerTask {
  /** The number of the first request. */
  readonly number: number
  /** The number of the last request, if there are several. */
  readonly last?: number
}

export interface StepTask extends RequestTask {
  /** The step of the ladder, from 1. */
  readonly step: number
}

/** Requests without a record that are settled next, and the labels of the ladder's steps. */
export interface NextRequest extends Pick<RequestTask, 'number' | 'last'> {
  readonly steps: readonly string[]
}

/** Requests that wait until a batch ends. */
export interface WaitingRequests {
  readonly first: number
  readonly last: number
  /** The end of the batch, in ISO 8601. */
  readonly until: string
  /** The milliseconds that are left, by the clock of the worker. */
  readonly left: number
}

/**
 * The first request that has no record, or those of its batch. If the batch has not ended, its
 * requests wait. Empty if all requests are settled.
 */
export async function nextRequest(
  artifacts: Artifacts,
  { name, now = false }: Omit<NextTask, 'store'>,
): Promise<{ readonly next?: NextRequest; readonly waiting?: WaitingRequests }> {
  const { spec } = await ledgerIn(artifacts, name)
  const requests = await completeBatch(artifacts, name)
  const batch = nextBatch(
    spec,
    requests.flatMap(({ request, record }) => (record ? [] : [request])),
  )
  if (!batch) return {}
  const { first, last, until } = batch
  const left = until === undefined ? 0 : Date.parse(until) - Date.now()
  if (until !== undefined && left > 0 && !now) return { waiting: { first, last, until, left } }
  return { next: { number: first, ...(last > first && { last }), steps: spec.ladder.map(labelOf) } }
}

/**
 * Writes the records of a batch that are missing after an interruption, and returns all requests.
 * The first record of a batch decides the others: they differ from it in their samples alone.
 */
async function completeBatch(artifacts: Artifacts, name: string): Promise<readonly StoredRequest[]> {
  const requests = await readRequests(artifacts, name)
  let before = requests.flatMap(({ record }) => record ?? []).at(-1)
  const batch = before && batchOf(before)
  if (before?.format !== 2 || !batch || before.number === batch.last) return requests
  for (const { request, record } of requests) {
    if (record || request.number > batch.last) continue
    before = {
      ...before,
      ...ownParts(request, before.state === 'fulfilled', {
        previous: digestOf(before),
        forgotten: before.forgottenBefore,
      }),
    }
    await putDeletion(artifacts, name, before, notesOf(request))
  }
  return readRequests(artifacts, name)
}

/** The parts of a record that its own request decides, whatever is settled together with it. */
function ownParts(
  { number, reference, salt, samples }: DeletionRequest,
  isFulfilled: boolean,
  before: { readonly previous: string | null; readonly forgotten: number },
): Pick<NewDeletion, 'number' | 'reference' | 'previous' | 'forgotten' | 'forgottenBefore'> {
  return {
    number,
    reference,
    previous: before.previous,
    forgotten: {
      root: merkleRoot(
        salt,
        samples.map(({ id }) => id),
      ),
      samples: samples.length,
    },
    forgottenBefore: before.forgotten + (isFulfilled ? samples.length : 0),
  }
}

function notesOf({ received, salt, samples }: DeletionRequest): DeletionNotes {
  return { received, finished: new Date().toISOString(), salt, samples: [...samples] }
}

export interface PlannedStep {
  /** The id of the run, whose record is in the store. */
  readonly run: string
  readonly attributes: SearchAttributePair[]
}

/** Plans the experiment of a step and writes the record of its run. */
export async function planStep(artifacts: Artifacts, task: Omit<StepTask, 'store'>): Promise<PlannedStep> {
  const { ledger, requests, state } = await situation(artifacts, task)
  const spec = stepSpec(ledger.spec, task, requests.flatMap(indicesOf), state)
  const locked = plan(spec, ledger.facts)
  const changed = await changedCode(codeNamesOf(stagesOf(locked)))
  const planned = Object.keys(changed).length === 0 ? locked : plan(spec, ledger.facts, changed)
  const places = { ...ledger.settings.places, ...(state.current && placeOf(artifacts, state.current)) }
  const run: RunRecord = {
    id: runId(spec.name, planned),
    spec,
    facts: ledger.facts,
    plan: planned,
    command: { config: ledger.config, overrides: [], ledger: ledger.name },
    settings: { ...ledger.settings, ...(Object.keys(places).length > 0 && { places }) },
  }
  await artifacts.putRun(run)
  return { run: run.id, attributes: searchAttributesOf(run) }
}

/** The place of a model's blob, by the digest of its only file. */
function placeOf({ store }: Artifacts, blob: BlobRef): Readonly<Record<string, string>> {
  const place = store.locate(blobPath(blob))
  const digest = filesDigest([{ name: blob.sha256, ...blob }])
  return { [digest]: place.startsWith('file://') ? fileURLToPath(place) : place }
}

export interface JudgeTask extends StepTask {
  readonly run: string
  /** Why the run has failed. Absent if it came to its end. */
  readonly failure?: string
}

/** Compares the result of a step with the acceptance rule. */
export async function judgeStep(
  artifacts: Artifacts,
  { name, step, run: id, failure }: Omit<JudgeTask, 'store'>,
): Promise<Attempt> {
  const { spec } = await ledgerIn(artifacts, name)
  const row = spec.ladder[step - 1]
  if (!row) throw new RangeError(`the ledger ${name} has no step ${step}`)
  const attempt = { label: labelOf(row), method: row.method, run: id, claim: claimOf(row.method) }
  const failed = (reason: string, report?: string): Attempt => ({
    ...attempt,
    ...(report !== undefined && { report }),
    evidence: [],
    outcome: 'failed',
    reason,
  })
  if (failure !== undefined) return failed(failure)
  const run = await recordIn(artifacts, { id })
  const outcome = await storedOutcome(artifacts, run, new SharedManifests(artifacts))
  if (!outcome || 'missing' in outcome) return failed(outcome?.missing ?? 'the run has no report')
  const { digest, rows } = outcome
  const model = await modelOf(artifacts, run)
  const [own] = rows
  if (!model || !own) {
    const reasons = (run.failed ?? []).map(({ title, reason }) => `${title}: ${reason}`)
    return failed(reasons.join('; ') || 'the model of the method is not in the store', digest)
  }
  // The second row of an approximate method is the model in use (experiment/ledger/step.ts).
  const [, before] = rows.slice(0, run.plan.candidates.length)
  const evidence = evidenceOf(spec.accept, own, rows.slice(run.plan.candidates.length), before)
  const cost = await costOf(artifacts, run, model)
  return {
    ...attempt,
    report: digest,
    evidence,
    ...judgementOf(row.method, evidence),
    ...(cost && { cost }),
  }
}

export interface SettleTask extends RequestTask {
  readonly attempts: readonly Attempt[]
}

/**
 * Writes the record of a request and its notes, and those of the requests that are settled together
 * with it. Does nothing if they have records.
 */
export async function settleRequest(
  artifacts: Artifacts,
  task: Omit<SettleTask, 'store'>,
): Promise<SettledRequest> {
  const { name, number } = task
  const found = (await readRequests(artifacts, name)).find(({ request }) => request.number === number)
  const record = found?.record ?? (await putFirstRecord(artifacts, task))
  await completeBatch(artifacts, name)
  return settledAs(record)
}

/** Writes the record of the first request. */
async function putFirstRecord(
  artifacts: Artifacts,
  { name, number, last = number, attempts }: Omit<SettleTask, 'store'>,
): Promise<Deletion> {
  const { ledger, requests, state } = await situation(artifacts, { name, number, last })
  const runs = await Promise.all(attempts.map(({ run }) => recordIn(artifacts, { id: run })))
  const tried = runs.at(-1)
  const accepted = attempts.at(-1)?.outcome === 'accepted' ? tried : undefined
  const original = await originalIn(artifacts, runs)
  const before = state.model ?? (original && output(original, 'model'))
  if (!before)
    throw new UserError(
      `request ${number} of the ledger ${name} could not be tried, because there is no original model: ${refusalOf(attempts)}. ` +
        `Once that is put right: ./zeroshift forget ${ledger.config} --queued`,
    )
  const model = accepted && (await modelOf(artifacts, accepted))
  if (accepted && !model)
    throw new UserError(
      `the model of ${accepted.id} was accepted for request ${number} of the ledger ${name} and is no longer in the store; ` +
        `to compute it again: ./zeroshift forget ${ledger.config} --queued`,
    )
  const [request] = requests
  const remaining = remainingSamples(ledger, state.forgotten)
  const going = new Set(accepted ? requests.flatMap(indicesOf) : [])
  const record: NewDeletion = {
    format: 2,
    ledger: { name, digest: ledger.digest },
    ...ownParts(request, accepted !== undefined, {
      previous: state.previous,
      forgotten: state.forgotten.length,
    }),
    ...(last > number && { batch: { first: number, last } }),
    data: {
      dataset: digestOf(ledger.facts),
      before: digestOf(remaining),
      after: digestOf(remaining.filter((index) => !going.has(index))),
    },
    model: { before, after: model ? output(model, 'model') : before },
    code: {
      version: environmentHere(undefined).zeroshift,
      stages: tried ? bodiesOf(stagesOf(tried.plan)) : {},
    },
    device: deviceOf(model ?? (await anyModelOf(artifacts, runs)) ?? original),
    attempts: [...attempts],
    ...(accepted
      ? { state: 'fulfilled', claim: attempts.at(-1)?.claim }
      : { state: 'refused', reason: refusalOf(attempts) }),
    notTested: notTested(ledger.spec),
  }
  refuseContradictions(record, ledger)
  await putDeletion(artifacts, name, record, notesOf(request))
  return record
}

/** A record is never replaced. Attempts that an earlier version judged may lack figures. */
function refuseContradictions(record: Deletion, { name, config }: LedgerRecord): void {
  const flaws = deletionFlaws(record).map(({ path, message }) => `${path}: ${message}`)
  if (flaws.length > 0)
    throw new UserError(
      `the record of request ${record.number} of the ledger ${name} would contradict itself, and was not written (${flaws.join('; ')}). ` +
        `To judge its steps again: ./zeroshift forget ${config} --queued`,
    )
}

function settledAs({ number, state, claim, reason }: Deletion): SettledRequest {
  return { number, state, ...(claim && { claim }), ...(reason !== undefined && { reason }) }
}

interface Situation {
  readonly ledger: LedgerRecord
  /** The requests that are settled together. */
  readonly requests: readonly [DeletionRequest, ...DeletionRequest[]]
  /** The state before them. */
  readonly state: LedgerState
}

async function situation(
  artifacts: Artifacts,
  { name, number, last = number }: Omit<RequestTask, 'store'>,
): Promise<Situation> {
  const ledger = await ledgerIn(artifacts, name)
  const requests = await readRequests(artifacts, name)
  const [own, ...others] = requests.flatMap(({ request }) =>
    request.number >= number && request.number <= last ? [request] : [],
  )
  if (own?.number !== number || others.length !== last - number)
    throw new UserError(
      `the ledger ${name} in ${artifacts.store.url} has no request ${last === number ? number : `${number} to ${last}`} any more`,
    )
  const earlier = requests.flatMap(({ request, record }) =>
    request.number < number && record ? [{ request, record }] : [],
  )
  return { ledger, requests: [own, ...others], state: stateAfter(earlier) }
}

async function ledgerIn(artifacts: Artifacts, name: string): Promise<LedgerRecord> {
  const ledger = await readLedger(artifacts, name)
  if (!ledger) throw new UserError(`the store ${artifacts.store.url} has no ledger '${name}' any more`)
  return ledger
}

const indicesOf = ({ samples }: DeletionRequest) => samples.map(({ index }) => index)
const labelOf = ({ label, method }: { readonly label?: string | undefined; readonly method: string }) =>
  label ?? method

/** The training samples that are not forgotten yet, in ascending order. */
function remainingSamples({ spec, facts }: LedgerRecord, forgotten: readonly number[]): number[] {
  const trainable = facts.train.reduce((sum, count) => sum + count, 0)
  const gone = new Set(forgotten)
  return [...partition(setSizes(spec.data, facts), trainable, spec.seed.data).train].filter(
    (index) => !gone.has(index),
  )
}

/** The manifest of the model that a step has made, if the store has it. */
async function modelOf(artifacts: Artifacts, { plan }: RunRecord): Promise<ModelManifest | undefined> {
  const model = plan.candidates[0]?.model
  return model && (await artifacts.complete(model))
}

/** The manifest of the original of the first run that has one. */
async function originalIn(
  artifacts: Artifacts,
  runs: readonly RunRecord[],
): Promise<ModelManifest | undefined> {
  return firstOf(artifacts, runs, ({ original }) => original)
}

/** The manifest of a gold model or of an original of the runs. */
async function anyModelOf(
  artifacts: Artifacts,
  runs: readonly RunRecord[],
): Promise<ModelManifest | undefined> {
  return firstOf(artifacts, runs, ({ gold: [gold], original }) => gold ?? original)
}

async function firstOf(
  artifacts: Artifacts,
  runs: readonly RunRecord[],
  stageOf: (plan: SeedPlan) => SeedPlan['original'],
): Promise<ModelManifest | undefined> {
  for (const { plan } of runs) {
    const manifest = await artifacts.complete(stageOf(plan))
    if (manifest) return manifest
  }
  return undefined
}

/** The device that computed a stage. If the stage used none, the processor of this machine. */
function deviceOf(manifest: Manifest | undefined): Deletion['device'] {
  const environment = manifest?.clock.environment ?? environmentHere(undefined)
  const { processor, tensorflow, processors = 1 } = environment
  return {
    name: tensorflow?.gpu ?? processor ?? 'unknown',
    threads: tensorflow?.threads ?? processors,
  }
}

/**
 * The samples that a method has passed through the model, and those that a training on the retained
 * set passes. Undefined if the number is not known.
 */
async function costOf(
  artifacts: Artifacts,
  { plan, spec, facts }: RunRecord,
  model: ModelManifest,
): Promise<Attempt['cost']> {
  const split = await artifacts.manifest(plan.split)
  const training = spec.gold.training ?? spec.training
  if (!split || !training) return undefined
  const { retained, forget, forgottenClasses } = split.metrics
  const retraining = trainingSteps(training, retained).steps * Math.min(training.batchSize, retained)
  if (model.kind === 'train') return { samples: retraining, retraining }
  if (!('method' in model.params)) return undefined
  const samples = seenByMethod(model.params, model.metrics, {
    retained,
    forget,
    classes: facts.classes.length,
    forgottenClasses: forgottenClasses.length,
  })
  return 'value' in samples ? { samples: Math.round(samples.value), retraining } : undefined
}
