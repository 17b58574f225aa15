import { fileURLToPath } from 'node:url'
import type { SearchAttributePair } from '@temporalio/common'
import type { Artifacts } from '../artifacts/artifacts.ts'
import { blobPath } from '../artifacts/format/layout.ts'
import { putDeletion, readLedger, readRequests, type StoredRequest } from '../artifacts/stored-ledgers.ts'
import { digestOf } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { claimOf, evidenceOf, judgementOf, refusalOf } from '../experiment/ledger/evidence.ts'
import type { DeletionRequest, LedgerRecord, SettledRequest } from '../experiment/ledger/ledger.ts'
import { notTested } from '../experiment/ledger/not-tested.ts'
import { stateAfter, type LedgerState } from '../experiment/ledger/state.ts'
import { stepSpec } from '../experiment/ledger/step.ts'
import { plan } from '../experiment/plan/plan.ts'
import { trainingSteps } from '../experiment/plan/training-steps.ts'
import type { SeedPlan } from '../experiment/plan/types.ts'
import type { Attempt, Deletion, NewDeletion } from '../experiment/records/deletion.ts'
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

export interface StepTask extends LedgerTask {
  readonly number: number
  /** The step of the ladder, from 1. */
  readonly step: number
}

/** A request without a record, and the labels of the ladder's steps. */
export interface NextRequest {
  readonly number: number
  readonly steps: readonly string[]
}

/** The first request that has no record. Undefined if all requests are settled. */
export async function nextRequest(
  artifacts: Artifacts,
  name: string,
): Promise<{ readonly next?: NextRequest }> {
  const { spec } = await ledgerIn(artifacts, name)
  const open = (await readRequests(artifacts, name)).find(({ record }) => !record)
  if (!open) return {}
  return { next: { number: open.request.number, steps: spec.ladder.map(labelOf) } }
}

export interface PlannedStep {
  /** The id of the run, whose record is in the store. */
  readonly run: string
  readonly attributes: SearchAttributePair[]
}

/** Plans the experiment of a step and writes the record of its run. */
export async function planStep(artifacts: Artifacts, task: Omit<StepTask, 'store'>): Promise<PlannedStep> {
  const { ledger, request, state } = await situation(artifacts, task)
  const spec = stepSpec(ledger.spec, task, indicesOf(request), state)
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

export interface SettleTask extends LedgerTask {
  readonly number: number
  readonly attempts: readonly Attempt[]
}

/** Writes the record of a request and its notes. Does nothing if the request has a record. */
export async function settleRequest(
  artifacts: Artifacts,
  { name, number, attempts }: Omit<SettleTask, 'store'>,
): Promise<SettledRequest> {
  const { ledger, request, state, own } = await situation(artifacts, { name, number })
  if (own.record) return settledAs(own.record)
  const runs = await Promise.all(attempts.map(({ run }) => recordIn(artifacts, { id: run })))
  const last = runs.at(-1)
  const accepted = attempts.at(-1)?.outcome === 'accepted' ? last : undefined
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
  const samples = indicesOf(request)
  const remaining = remainingSamples(ledger, state.forgotten)
  const going = new Set(accepted ? samples : [])
  const record: NewDeletion = {
    format: 2,
    ledger: { name, digest: ledger.digest },
    number,
    reference: request.reference,
    previous: state.previous,
    forgotten: {
      root: merkleRoot(
        request.salt,
        request.samples.map(({ id }) => id),
      ),
      samples: samples.length,
    },
    forgottenBefore: state.forgotten.length + going.size,
    data: {
      dataset: digestOf(ledger.facts),
      before: digestOf(remaining),
      after: digestOf(remaining.filter((index) => !going.has(index))),
    },
    model: { before, after: model ? output(model, 'model') : before },
    code: {
      version: environmentHere(undefined).zeroshift,
      stages: last ? bodiesOf(stagesOf(last.plan)) : {},
    },
    device: deviceOf(model ?? (await anyModelOf(artifacts, runs)) ?? original),
    attempts: [...attempts],
    ...(accepted
      ? { state: 'fulfilled', claim: attempts.at(-1)?.claim }
      : { state: 'refused', reason: refusalOf(attempts) }),
    notTested: notTested(ledger.spec),
  }
  const { received, salt } = request
  const notes = { received, finished: new Date().toISOString(), salt, samples: [...request.samples] }
  refuseContradictions(record, ledger)
  await putDeletion(artifacts, name, record, notes)
  return settledAs(record)
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
  readonly request: DeletionRequest
  readonly own: StoredRequest
  /** The state before the request. */
  readonly state: LedgerState
}

async function situation(
  artifacts: Artifacts,
  { name, number }: { readonly name: string; readonly number: number },
): Promise<Situation> {
  const ledger = await ledgerIn(artifacts, name)
  const requests = await readRequests(artifacts, name)
  const own = requests.find(({ request }) => request.number === number)
  if (!own)
    throw new UserError(`the ledger ${name} in ${artifacts.store.url} has no request ${number} any more`)
  const earlier = requests.flatMap(({ request, record }) =>
    request.number < number && record ? [{ request, record }] : [],
  )
  return { ledger, request: own.request, own, state: stateAfter(earlier) }
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
