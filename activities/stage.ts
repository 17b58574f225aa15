import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { type Artifacts, openArtifacts } from '../artifacts/artifacts.ts'
import { manifestDigest } from '../experiment/manifest.ts'
import type { BlobRef, Environment, Manifest, ManifestOf, StageMetrics } from '../experiment/manifest.ts'
import type { RunInput, StepProgress } from '../experiment/run.ts'
import type { StageInputs, StageKind, StageOf, StageRef } from '../experiment/stages.ts'
import { asFailure } from './errors.ts'

export interface StageTask<K extends StageKind> {
  readonly stage: StageOf<K>
  readonly settings: RunInput['settings']
}

export interface KeptTask {
  readonly stages: readonly StageRef[]
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

export interface StageContext<K extends StageKind> {
  readonly stage: StageOf<K>
  readonly settings: RunInput['settings']
  readonly artifacts: Artifacts
  readonly inputs: InputManifests<K>
  /**
   * To be awaited between steps: heartbeats with the progress, gives the event loop back, and throws when the stage
   * was cancelled.
   */
  readonly step: (progress: StepProgress) => Promise<void>
}

/** The kind of stage behind each name of an input. */
interface InputKinds {
  readonly dataset: 'dataset'
  readonly split: 'split'
  readonly original: 'train'
  readonly model: 'train' | 'unlearn'
  readonly evaluation: 'evaluate'
  readonly goldEvaluation: 'evaluate'
  readonly attack: 'attack'
  readonly goldAttack: 'attack'
}

export type InputManifests<K extends StageKind> = {
  [Name in keyof StageInputs[K]]: Name extends keyof InputKinds
    ? Extract<Manifest, { kind: InputKinds[Name] }>
    : never
}

export interface StageWork<K extends StageKind> {
  readonly outputs: Readonly<Record<string, Uint8Array>>
  readonly metrics: StageMetrics[K]
  /** Wall seconds of the work itself, without reading inputs and writing outputs; preparation included. */
  readonly seconds: number
  readonly tensorflow?: Environment['tensorflow']
}

export type StageBody<K extends StageKind> = (context: StageContext<K>) => Promise<StageWork<K>>

/** Core sends at most one heartbeat a second (see worker/worker.ts); offering more only costs. */
const BEAT_EVERY_MS = 250
/** Between steps that report nothing, well within the heartbeat timeout. */
const IDLE_BEAT_MS = 5_000

/**
 * The activity of one kind of stage. A stage that is in the store is answered from there, without loading the body
 * (and TensorFlow behind it). Otherwise the body runs, its outputs are stored and the manifest is committed; where
 * another worker was quicker, its manifest stands.
 */
export function stageActivity<K extends StageKind>(
  kind: K,
  load: () => Promise<StageBody<K>>,
): (task: StageTask<K>) => Promise<StageDone> {
  return async ({ stage, settings }) => {
    const beat = heartbeats()
    try {
      const artifacts = openArtifacts(settings.store)
      const known = await artifacts.complete(stage)
      if (known) return done(known, true)

      const inputs = await inputManifests(artifacts, stage)
      const body = await load()
      const work = await body({ stage, settings, artifacts, inputs, step: beat.step })

      const outputs: Record<string, BlobRef> = {}
      for (const [name, bytes] of Object.entries(work.outputs)) outputs[name] = await artifacts.putBlob(bytes)
      const manifest: ManifestOf<K> = {
        kind,
        key: stage.key,
        version: stage.version,
        params: stage.params,
        inputs: stage.inputs,
        inputDigests: Object.fromEntries(
          Object.entries(inputs as Record<string, Manifest>).map(([name, input]) => [
            name,
            manifestDigest(input),
          ]),
        ),
        outputs,
        metrics: work.metrics,
        clock: {
          seconds: work.seconds,
          finishedAt: new Date().toISOString(),
          environment: environment(work.tensorflow),
        },
      }
      return done(await artifacts.commit(manifest as Manifest), false)
    } catch (error) {
      throw asFailure(error)
    } finally {
      beat.stop()
    }
  }
}

/** The stages that are in the store, of those asked for: they need no activity of their own. */
export async function keptStages({ stages, settings }: KeptTask): Promise<readonly StageDone[]> {
  const artifacts = openArtifacts(settings.store)
  const manifests = await Promise.all(stages.map((stage) => artifacts.complete(stage)))
  return manifests.flatMap((manifest) => (manifest ? [done(manifest, true)] : []))
}

function done(manifest: Manifest, cached: boolean): StageDone {
  return { key: manifest.key, digest: manifestDigest(manifest), cached, seconds: manifest.clock.seconds }
}

async function inputManifests<K extends StageKind>(
  artifacts: Artifacts,
  stage: StageOf<K>,
): Promise<InputManifests<K>> {
  const refs = Object.entries(stage.inputs as Readonly<Record<string, StageRef>>)
  const manifests = await Promise.all(
    refs.map(async ([name, ref]) => {
      const manifest = await artifacts.manifest(ref)
      if (!manifest)
        throw new Error(
          `the input '${name}' of '${stage.title}' (${ref.kind} ${ref.key.slice(0, 12)}) is not in the store any more: ` +
            'something deleted it while the run was going. Run the same command again to compute it anew.',
        )
      return [name, manifest] as const
    }),
  )
  return Object.fromEntries(manifests) as InputManifests<K>
}

/** The heartbeats of the activity that is running: with every step, and by a timer while a step takes long. */
function heartbeats() {
  const context = Context.current()
  let latest: StepProgress = {}
  let last = -Infinity
  const beat = () => {
    last = performance.now()
    context.heartbeat(latest)
  }
  const timer = setInterval(beat, IDLE_BEAT_MS)
  return {
    step: async (progress: StepProgress): Promise<void> => {
      latest = progress
      if (performance.now() - last >= BEAT_EVERY_MS) beat()
      await nextTurn()
      if (context.cancellationSignal.aborted) await context.cancelled
    },
    stop: () => {
      clearInterval(timer)
    },
  }
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

function environment(tensorflow: Environment['tensorflow']): Environment {
  const here = { zeroshift: version, node: process.version, platform: `${process.platform}-${process.arch}` }
  return tensorflow ? { ...here, tensorflow } : here
}
