import { LeaseLostError } from '../../artifacts/progress/lease.ts'
import { Context } from '@temporalio/activity'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { signStage } from '../../artifacts/stored-signatures.ts'
import { digestOf } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import {
  manifestDigest,
  type BlobRef,
  type Environment,
  type InputManifests,
  type Manifest,
  type ManifestOf,
} from '../../experiment/records/manifest.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import {
  keyOf,
  computesOnDevice,
  isOfProgram,
  stageKinds,
  type Stage,
  type StageKind,
  type OwnParamsOf,
  type ProgramParamsOf,
  type StageMetrics,
  type StageOf,
  type StageParams,
  type StageRef,
} from '../../experiment/stages/stage.ts'
import type { SigningKey } from '../../signatures/keys.ts'
import type { RefuseElsewhere } from './allowed-places.ts'
import { durably, type Durable } from './durable.ts'
import { environmentHere } from './environment.ts'
import { asFailure } from './errors.ts'
import { deviceLoaded } from './events.ts'
import type { HeldCode } from './held-code.ts'
import { KnownRuns } from './known-runs.ts'
import { readInputs, refuseChangedInputs, throwBodyError, type ReadInputs } from './stage-inputs.ts'

export interface StageTask<K extends StageKind> {
  /**
   * The stage, or in a large run only its name: the run's record in the store has the stage itself.
   */
  readonly stage: StageOf<K> | StageName<K>
  readonly settings: RunInput['settings']
  /** The id of the run, if the stage is given by its name. */
  readonly run?: string
}

export interface StageName<K extends StageKind> {
  readonly kind: K
  readonly key: string
  readonly title: string
}

/** The result of a stage's activity. It is small: tensors never pass through Temporal. */
export interface StageDone {
  readonly key: string
  /** The digest of the stage's manifest. */
  readonly digest: string
  /** The result was in the store already: nothing was computed. */
  readonly cached: boolean
  /** Wall seconds of the work, no matter when it was done. */
  readonly seconds: number
}

/**
 * The functions and values that the body of a stage may use. `Params` are the parameters of those
 * stages of the kind that the body computes.
 */
export interface StageContext<K extends StageKind, Params = OwnParamsOf<K>> extends Pick<
  Durable,
  'host' | 'timed' | 'untimed'
> {
  readonly stage: Omit<StageOf<K>, 'params'> & { readonly params: Params }
  readonly settings: RunInput['settings']
  readonly artifacts: Artifacts
  readonly inputs: InputManifests<K>
  /** Whether this worker may execute programs and plug-ins of anyone who may start runs. */
  readonly allowsPrograms: boolean
}

/** The result of a stage's body. */
export interface StageWork<K extends StageKind> {
  /** By name: bytes to store as a blob, or a blob that the store has already. */
  readonly outputs: Readonly<Record<string, Uint8Array | BlobRef>>
  readonly metrics: StageMetrics[K]
  /**
   * Wall seconds of the work, including preparation, without reading inputs and writing outputs.
   */
  readonly seconds: number
  /** Absent if the body did not use TensorFlow. */
  readonly tensorflow?: Environment['tensorflow']
}

export type StageBody<K extends StageKind> = (context: StageContext<K>) => Promise<StageWork<K>>

/** The body of those stages of a kind that an external program computes. */
export type ProgramBody<K extends StageKind> = (
  context: StageContext<K, ProgramParamsOf<K>>,
) => Promise<StageWork<K>>

export interface StageOptions {
  /** Throws a UserError if a task names a place that is not allowed. */
  readonly refuse?: RefuseElsewhere
  /** Aborts when the worker shuts down. */
  readonly stopping?: AbortSignal
  /** Throws an OtherCodeError if a stage was planned with other code than this worker has. */
  readonly code?: Pick<HeldCode, 'check'>
  /** Signs the manifests that are computed here, but none that was found in the store. */
  readonly signer?: SigningKey
  readonly runs?: KnownRuns
  /** Whether this worker executes external programs, and plug-ins that others have bundled. */
  readonly allowsPrograms?: boolean
}

/**
 * Returns the activity of one stage kind. If the store has the stage's result, the activity returns
 * it without loading the body and with it TensorFlow. Otherwise it runs the body, stores the
 * outputs and commits the manifest. If another worker has committed one meanwhile, that one
 * remains.
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
    allowsPrograms = false,
  }: StageOptions = {},
  loadForProgram?: () => Promise<ProgramBody<K>>,
): (task: StageTask<K>) => Promise<StageDone> {
  return async ({ stage: given, settings, run = '' }) => {
    try {
      refuse(settings)
      const artifacts = openArtifacts(settings.store)
      const stage =
        'params' in given ? given : ((await runs.stage(artifacts, run, given.key)) as unknown as StageOf<K>)
      refuseForged(kind, stage as Stage)
      const stored = await artifacts.complete(stage)
      if (stored) {
        // An earlier attempt may have been killed after its commit, before it removed its
        // checkpoints.
        if (Context.current().info.attempt > 1) await artifacts.clear(stage)
        return stageDone(stored, true)
      }

      if (!allowsPrograms) refuseProgram(stage)
      await code?.check(stage as Stage)
      const computed = await computeStage({
        ...{ artifacts, stage, settings, stopping, signer, allowsPrograms },
        bodies: { load, loadForProgram },
      })
      if (computed) return stageDone(computed, false)
      const other = await artifacts.complete(stage)
      if (!other) throw new LeaseLostError(`another attempt has taken '${stage.title}' over`)
      return stageDone(other, true)
    } catch (error) {
      throw asFailure(error)
    }
  }
}

const KEY = /^[0-9a-f]{64}$/

/**
 * Throws a UserError if a stage is not as it was planned. Everyone who may start workflows can send
 * tasks. A key that is not the digest of its stage could replace the result of another stage, or
 * lead to a path outside of the folder for stages.
 */
function refuseForged(expected: StageKind, stage: Stage): void {
  const { kind, key, inputs, title } = stage
  const refs = Object.values<StageRef>(inputs)
  const areRefsValid = refs.every((input) => KEY.test(input.key) && stageKinds.includes(input.kind))
  if (kind === expected && areRefsValid && key === keyOf(stage)) return
  throw new UserError(
    `the stage '${title}' was changed after it was planned: its key is not the digest of what it computes; start its run by \`./zeroshift run\``,
  )
}

/** Throws a UserError if an external program would have to be executed for a stage. */
function refuseProgram({ kind, params, title }: StageOf<StageKind>): void {
  if (kind === 'evaluate' || !isOfProgram({ params })) return
  throw new UserError(
    `'${title}' executes an external program, which this worker does not allow; start it with --allow-external (or ZEROSHIFT_ALLOW_EXTERNAL=1) ` +
      'if everyone who may start runs may execute commands as its user',
  )
}

interface Computation<K extends StageKind> {
  readonly artifacts: Artifacts
  readonly stage: StageOf<K>
  readonly settings: RunInput['settings']
  readonly stopping: AbortSignal
  readonly bodies: Bodies<K>
  readonly signer: SigningKey | undefined
  readonly allowsPrograms: boolean
}

/**
 * Computes a stage while its lease is held, and commits its manifest. Returns the manifest that the
 * store has then, or undefined if another attempt has finished the stage or taken it over.
 */
async function computeStage<K extends StageKind>({
  artifacts,
  stage,
  settings,
  stopping,
  bodies,
  signer,
  allowsPrograms,
}: Computation<K>): Promise<Manifest | undefined> {
  let reading: Promise<ReadInputs<K>> | undefined
  const read = () => (reading ??= readInputs(artifacts, stage))
  const inputs = async () => digestOf((await read()).digests)
  try {
    return await durably({ artifacts, stage, settings, inputs, stopping }, async (durable) => {
      const { manifests, digests } = await read()
      const context = { stage, settings, artifacts, inputs: manifests, allowsPrograms, ...durable }
      const body = await bodyFor(bodies, context)
      if (computesOnDevice(stage)) await publishDevice()
      const work = await body().catch((error: unknown) => throwBodyError(artifacts, manifests, error))
      const outputs = await storedOutputs(artifacts, work)
      await durable.confirm()
      await refuseChangedInputs(artifacts, stage, digests)
      const manifest = manifestFor(stage, digests, outputs, work, durable) as Manifest
      // The signature comes before the commit, so that no crash of this process omits it. If the
      // manifest of another worker remains, `durably` removes this signature at the end.
      if (signer) await signStage(artifacts, manifest, 'computed', signer)
      return artifacts.commit(manifest)
    })
  } catch (error) {
    if (error instanceof LeaseLostError) return undefined
    throw error
  }
}

/** The bodies of a kind: that of Zeroshift, and that which executes an external program. */
interface Bodies<K extends StageKind> {
  readonly load: () => Promise<StageBody<K>>
  readonly loadForProgram: (() => Promise<ProgramBody<K>>) | undefined
}

/** Loads the body of a stage, and returns a function that executes it. */
async function bodyFor<K extends StageKind>(
  { load, loadForProgram }: Bodies<K>,
  context: StageContext<K, StageParams[K]>,
): Promise<() => Promise<StageWork<K>>> {
  if (loadForProgram && isForProgram(context)) {
    const body = await loadForProgram()
    return () => body(context)
  }
  if (!isOwn(context)) throw new Error(`no program can compute a stage of the kind ${context.stage.kind}`)
  const body = await load()
  return () => body(context)
}

function isForProgram<K extends StageKind>(
  context: StageContext<K, StageParams[K]>,
): context is StageContext<K, StageParams[K]> & StageContext<K, ProgramParamsOf<K>> {
  return isOfProgram(context.stage)
}

function isOwn<K extends StageKind>(
  context: StageContext<K, StageParams[K]>,
): context is StageContext<K, StageParams[K]> & StageContext<K, OwnParamsOf<K>> {
  return !isOfProgram(context.stage)
}

/** Tells the worker's metrics how to measure the device's memory. */
async function publishDevice(): Promise<void> {
  if (!deviceLoaded.hasSubscribers()) return
  const { tf } = await import('../../learning/tensorflow/tf.ts')
  deviceLoaded.publish(() => tf.memory().numBytes)
}

async function storedOutputs<K extends StageKind>(
  artifacts: Artifacts,
  work: StageWork<K>,
): Promise<Readonly<Record<string, BlobRef>>> {
  const outputs: Record<string, BlobRef> = {}
  for (const [name, output] of Object.entries(work.outputs))
    outputs[name] = output instanceof Uint8Array ? await artifacts.putBlob(output) : output
  return outputs
}

function manifestFor<K extends StageKind>(
  stage: StageOf<K>,
  inputDigests: ManifestOf<K>['inputDigests'],
  outputs: ManifestOf<K>['outputs'],
  { metrics, seconds, tensorflow }: StageWork<K>,
  durable: Durable,
): ManifestOf<K> {
  const { kind, key, version, code, params, inputs } = stage
  const { processes, stages } = durable.otherWork()
  return {
    kind,
    key,
    version,
    ...(code !== undefined && { code }),
    params,
    inputs,
    inputDigests,
    outputs,
    metrics,
    clock: {
      seconds,
      finishedAt: new Date().toISOString(),
      otherWork: { stages, ...(processes !== undefined && !isOfProgram(stage) && { processes }) },
      environment: environmentHere(tensorflow && durable.computedOn(tensorflow)),
    },
  }
}

function stageDone(manifest: Manifest, cached: boolean): StageDone {
  return { key: manifest.key, digest: manifestDigest(manifest), cached, seconds: manifest.clock.seconds }
}
