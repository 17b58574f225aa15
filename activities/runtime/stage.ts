import { readFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { Context } from '@temporalio/activity'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { BlobError, CorruptBlobError } from '../../artifacts/blobs/blob-errors.ts'
import { LeaseLostError } from '../../artifacts/progress/lease.ts'
import { signStage } from '../../artifacts/stored-signatures.ts'
import { summarize, StoreView } from '../../artifacts/store-view.ts'
import { digestOf } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import { manifestDigest } from '../../experiment/records/manifest.ts'
import type {
  BlobRef,
  Environment,
  Manifest,
  ManifestOf,
  StageMetrics,
} from '../../experiment/records/manifest.ts'
import { recordOf, type KeptRun, type RunInput, type RunRecord } from '../../experiment/records/run.ts'
import { planParts, type PlanPart } from '../../experiment/plan/run-parts.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import {
  keyOf,
  stageKinds,
  type Stage,
  type StageInputs,
  type StageKind,
  type StageOf,
  type StageRef,
} from '../../experiment/stages/stage.ts'
import type { SigningKey } from '../../signatures/keys.ts'
import type { RefuseElsewhere } from './allowed-places.ts'
import { durably, onDevice, type Durable } from './durable.ts'
import { asFailure, DamagedInputError } from './errors.ts'
import { deviceLoaded } from './events.ts'
import type { HeldCode } from './held-code.ts'
import { KnownRuns } from './known-runs.ts'

export interface StageTask<K extends StageKind> {
  /** Of a large run by its key alone: what it is stands in the run's record. */
  readonly stage: StageOf<K> | StageName<K>
  readonly settings: RunInput['settings']
  /** The id of the run where the stage is given by its key. */
  readonly run?: string
}

export interface StageName<K extends StageKind> {
  readonly kind: K
  readonly key: string
  readonly title: string
}

export interface KeptTask {
  readonly run: RunRecord | KeptRun
  readonly settings: RunInput['settings']
}

/** What an activity answers: small; tensors never pass through Temporal. */
export interface StageDone {
  readonly key: string
  readonly digest: string
  /** The result was in the store already: nothing was computed. */
  readonly cached: boolean
  /** Wall seconds of the work, whenever it was done. */
  readonly seconds: number
}

export interface StageContext<K extends StageKind> extends Pick<Durable, 'host' | 'timed'> {
  readonly stage: StageOf<K>
  readonly settings: RunInput['settings']
  readonly artifacts: Artifacts
  readonly inputs: InputManifests<K>
}

/** The kind of stage behind each name of an input. */
interface InputKinds {
  readonly dataset: 'dataset'
  readonly split: 'split'
  readonly ranking: 'evaluate'
  readonly [unlearned: `unlearned${number}`]: 'evaluate'
  readonly [gold: `gold${number}`]: 'evaluate'
  readonly checkpoint: 'checkpoint'
  readonly original: 'train'
  readonly model: 'train' | 'unlearn'
  readonly evaluation: 'evaluate'
  readonly goldEvaluation: 'evaluate'
  readonly attack: 'attack'
  readonly goldAttack: 'attack'
  readonly twinEvaluation: 'evaluate'
  readonly originalEvaluation: 'evaluate'
  readonly goldModel: 'train'
  readonly [shadow: `shadow${number}`]: 'shadow'
  readonly pool: 'pool'
}

export type InputManifests<K extends StageKind> = {
  [Name in keyof StageInputs[K]]: Name extends keyof InputKinds
    ? Extract<Manifest, { kind: InputKinds[Name] }>
    : never
}

export interface StageWork<K extends StageKind> {
  /** Bytes to store, and what is stored already. */
  readonly outputs: Readonly<Record<string, Uint8Array | BlobRef>>
  readonly metrics: StageMetrics[K]
  /** Wall seconds of the work itself, without reading inputs and writing outputs; preparation included. */
  readonly seconds: number
  readonly tensorflow?: Environment['tensorflow']
}

export type StageBody<K extends StageKind> = (context: StageContext<K>) => Promise<StageWork<K>>

export interface StageOptions {
  /** Judges where a task leads. */
  readonly refuse?: RefuseElsewhere
  /** Aborts when the worker is to stop. */
  readonly stopping?: AbortSignal
  /** The code that bodies are loaded from. Not checked unless given. */
  readonly code?: Pick<HeldCode, 'check'>
  /** Signs what is computed here, and nothing that was found in the store. */
  readonly signer?: SigningKey
  readonly runs?: KnownRuns
}

/**
 * The activity of one kind of stage. A stage that is in the store is answered from there, without loading the body
 * (and TensorFlow behind it). Otherwise the body runs, its outputs are stored and the manifest is committed; where
 * another worker was quicker, its manifest stands.
 */
export function stageActivity<K extends StageKind>(
  kind: K,
  load: () => Promise<StageBody<K>>,
  {
    refuse = () => undefined,
    stopping = new AbortController().signal,
    code,
    runs = new KnownRuns(),
    signer,
  }: StageOptions = {},
): (task: StageTask<K>) => Promise<StageDone> {
  return async ({ stage: asked, settings, run = '' }) => {
    try {
      refuse(settings)
      const artifacts = openArtifacts(settings.store)
      const stage =
        'params' in asked ? asked : ((await runs.stage(artifacts, run, asked.key)) as unknown as StageOf<K>)
      refuseForged(kind, stage as Stage)
      const known = await artifacts.complete(stage)
      if (known) {
        // One before it may have been killed between its manifest and the end of its own tidying up.
        if (Context.current().info.attempt > 1) await artifacts.clear(stage)
        return done(known, true)
      }

      await code?.check(stage as Stage)
      const reading = reader(artifacts, stage)
      const inputs = async () => digestOf((await reading()).digests)
      const computed = await durably({ artifacts, stage, settings, inputs, stopping }, async (durable) => {
        const { manifests: inputs, digests: inputDigests } = await reading()
        const body = await load()
        if (onDevice.has(kind)) await tellOfDevice()
        const work = await body({ stage, settings, artifacts, inputs, ...durable }).catch((error: unknown) =>
          healing(artifacts, inputs, error),
        )
        const outputs: Record<string, BlobRef> = {}
        for (const [name, output] of Object.entries(work.outputs))
          outputs[name] = output instanceof Uint8Array ? await artifacts.putBlob(output) : output
        await durable.confirm()
        await refuseChangedInputs(artifacts, stage, inputDigests)
        const manifest: ManifestOf<K> = {
          kind,
          key: stage.key,
          version: stage.version,
          ...(stage.code !== undefined && { code: stage.code }),
          params: stage.params,
          inputs: stage.inputs,
          inputDigests,
          outputs,
          metrics: work.metrics,
          clock: {
            seconds: work.seconds,
            finishedAt: new Date().toISOString(),
            otherWork: durable.otherWork(),
            environment: environment(work.tensorflow && durable.computedOn(work.tensorflow)),
          },
        }
        // Before the commit, so that no end of this process leaves it out. Where another worker's result
        // stands, the stage's end removes it.
        if (signer) await signStage(artifacts, manifest as Manifest, 'computed', signer)
        return artifacts.commit(manifest as Manifest)
      }).catch((error: unknown) => {
        if (error instanceof LeaseLostError) return undefined
        throw error
      })
      if (computed) return done(computed, false)
      const elsewhere = await artifacts.complete(stage)
      if (!elsewhere) throw new LeaseLostError(`another attempt has taken '${stage.title}' over`)
      return done(elsewhere, true)
    } catch (error) {
      throw asFailure(error)
    }
  }
}

const KEY = /^[0-9a-f]{64}$/

/**
 * A task comes from whoever may start workflows. A key that is not the digest of its stage would put a result where others
 * look for another one, or lead out of the stages' folder. Throws a UserError.
 */
function refuseForged(expected: StageKind, stage: Stage): void {
  const { kind, key, inputs, title } = stage
  const refs = Object.values<StageRef>(inputs)
  const isWhole = refs.every((input) => KEY.test(input.key) && stageKinds.includes(input.kind))
  if (kind === expected && isWhole && key === keyOf(stage)) return
  throw new UserError(
    `the stage '${title}' was changed after it was planned: its key is not the digest of what it computes; start its run by \`./zeroshift run\``,
  )
}

async function tellOfDevice(): Promise<void> {
  if (!deviceLoaded.hasSubscribers()) return
  const { tf } = await import('../../learning/tf.ts')
  deviceLoaded.publish(() => tf.memory().numBytes)
}

/** A damaged blob is deleted, so that the stage that made it is computed again. */
async function healing(artifacts: Artifacts, inputs: object, error: unknown): Promise<never> {
  if (!(error instanceof BlobError)) throw error
  const { blob } = error
  const maker = Object.values(inputs as Record<string, Manifest>).find(({ outputs }) =>
    Object.values(outputs).some(({ sha256 }) => sha256 === blob.sha256),
  )
  if (!maker) throw error
  if (error instanceof CorruptBlobError) await artifacts.deleteBlob(blob)
  throw new DamagedInputError(error.message, maker.key)
}

/**
 * Keeps what was asked for, so that the run can be resumed and its stages count as needed; answers those of its stages
 * that are in the store: they need no activity of their own.
 */
export async function keptStages({ run, settings }: KeptTask): Promise<readonly StageDone[]> {
  try {
    const artifacts = openArtifacts(settings.store)
    const isStored = !('plan' in run)
    const record = isStored ? await recordIn(artifacts, run) : recordOf({ run, settings })
    if (!isStored) await artifacts.putRun(record)
    await artifacts.markOwn(run.id)
    return await keptOf(artifacts, record)
  } catch (error) {
    throw asFailure(error)
  }
}

/** The same of a run whose record is in the store, with what it is. */
export interface KeptCell extends RunInput {
  readonly kept: readonly StageDone[]
}

/** A piece of a stored run's plan, and with a plan of one piece what the store has of its stages. */
export interface StoredPart extends PlanPart {
  readonly kept?: readonly StageDone[]
}

export async function storedPart(
  artifacts: Artifacts,
  runs: KnownRuns,
  { id, part }: { readonly id: string; readonly part: number },
): Promise<StoredPart> {
  const record = await runs.record(artifacts, id, { anew: part === 0 })
  const { texts, byKey } = planParts(record.plan)
  const text = texts[part]
  if (text === undefined)
    throw new UserError(`the plan of '${id}' has ${texts.length} pieces, and piece ${part + 1} was asked for`)
  const { settings = {} } = record
  return {
    ...{ text, parts: texts.length, byKey, settings },
    ...(texts.length === 1 && { kept: await keptOf(artifacts, record) }),
  }
}

export async function keptCell(artifacts: Artifacts, id: string): Promise<KeptCell> {
  const { failed: _, settings, ...run } = await recordIn(artifacts, { id })
  return { run, settings: { ...settings, store: artifacts.store.url }, kept: await keptOf(artifacts, run) }
}

/** A stage whose inputs this run computes is none of them: it is asked for once they are there, and may be another by then. */
async function keptOf(artifacts: Artifacts, { plan }: RunRecord): Promise<readonly StageDone[]> {
  const stages = stagesOf(plan)
  const view = new StoreView(artifacts)
  const complete = await Promise.all(stages.map((stage) => view.complete(stage)))
  const kept = new Map<string, StageDone>()
  for (const [i, { key, inputs }] of stages.entries()) {
    const found = complete[i]
    const isReady = Object.values<StageRef>(inputs).every((input) => kept.has(input.key))
    if (found && isReady) kept.set(key, { key, digest: found.digest, cached: true, seconds: found.seconds })
  }
  return [...kept.values()]
}

/** The record of a run, which may be in the store alone. */
export async function recordIn(artifacts: Artifacts, run: RunRecord | KeptRun): Promise<RunRecord> {
  if ('plan' in run) return run
  const record = await artifacts.run(run.id)
  if (!record) throw new UserError(`the store ${artifacts.store.url} has no run '${run.id}' any more`)
  return record
}

function done(manifest: Manifest, cached: boolean): StageDone {
  return { key: manifest.key, digest: manifestDigest(manifest), cached, seconds: manifest.clock.seconds }
}

interface ReadInputs<K extends StageKind> {
  readonly manifests: InputManifests<K>
  /** By input name. */
  readonly digests: ManifestOf<K>['inputDigests']
}

/** Reads a stage's inputs when it is first called. Throws a DamagedInputError where one has to be computed again. */
function reader<K extends StageKind>(artifacts: Artifacts, stage: StageOf<K>): () => Promise<ReadInputs<K>> {
  let reading: Promise<ReadInputs<K>> | undefined
  return () => (reading ??= readInputs(artifacts, stage))
}

async function readInputs<K extends StageKind>(
  artifacts: Artifacts,
  stage: StageOf<K>,
): Promise<ReadInputs<K>> {
  const view = new StoreView(artifacts)
  const manifests = await Promise.all(
    refsOf(stage).map(async ([name, ref]) => {
      const manifest: Manifest | undefined = await artifacts.manifest(ref)
      const which = `the input '${name}' of '${stage.title}' (${ref.kind} ${ref.key.slice(0, 12)})`
      if (!manifest) throw new DamagedInputError(`${which} is not in the store any more`, ref.key)
      if (await view.staleInput(summarize(manifest)))
        throw new DamagedInputError(`${which} was computed from other inputs than the store has now`, ref.key)
      return [name, manifest] as const
    }),
  )
  return {
    manifests: Object.fromEntries(manifests) as InputManifests<K>,
    digests: Object.fromEntries(manifests.map(([name, manifest]) => [name, manifestDigest(manifest)])),
  }
}

function refsOf<K extends StageKind>({ inputs }: StageOf<K>): readonly (readonly [string, StageRef])[] {
  return Object.entries(inputs as Readonly<Record<string, StageRef>>)
}

/** A result of inputs that another worker replaced meanwhile is not committed: the next attempt reads the new ones. */
async function refuseChangedInputs<K extends StageKind>(
  artifacts: Artifacts,
  stage: StageOf<K>,
  digests: Readonly<Record<string, string>>,
): Promise<void> {
  const view = new StoreView(artifacts)
  for (const [name, ref] of refsOf(stage)) {
    const now = await view.stage(ref)
    if (now && now.digest !== digests[name])
      throw new Error(
        `the input '${name}' of '${stage.title}' was computed again while it was in use; '${stage.title}' begins anew from it`,
      )
  }
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

function environment(tensorflow: Environment['tensorflow']): Environment {
  const processor = cpus()[0]?.model.trim()
  return {
    zeroshift: version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    ...(processor && processor !== 'unknown' && { processor }),
    processors: availableParallelism(),
    ...(tensorflow && { tensorflow }),
  }
}
