import { digestOf } from '../../common/canonical.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import type { Plan } from '../plan/plan.ts'
import type { ResultRow } from './results.ts'
import type { Settings, Spec } from '../spec/spec.ts'
import type { StageKind } from '../stages/stage.ts'

/** What was asked for. The same spec on the same data is the same run: starting it twice joins the first. */
export interface RunRecord {
  readonly id: string
  readonly spec: Spec
  readonly facts: DatasetFacts
  readonly plan: Plan
  /** The config's path and overrides as they were given, for the command that reproduces the run. */
  readonly command: { readonly config: string; readonly overrides: readonly string[] }
  /** Where its data and its tracking server were, and how it was made durable. */
  readonly settings?: RunSettings
  /** Stages that failed when it last ran; set once it has. */
  readonly failed?: RunResult['failed']
}

/** All settings but the store, which whoever reads a record knows. */
export type RunSettings = Omit<Settings, 'store'>

export interface RunInput {
  readonly run: RunRecord
  readonly settings: RunSettings & { readonly store: string }
}

/** A run whose record is in the store already: what a cell of a sweep is called by. */
export interface KeptRun {
  readonly id: string
}

/** What a store keeps of what was asked for. */
export function recordOf({ run, settings: { store: _, ...settings } }: RunInput): RunRecord {
  return { ...run, settings }
}

/** How a run ended; MLflow's words. */
export interface RunEnd {
  readonly status: 'FINISHED' | 'FAILED' | 'KILLED'
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A run's id: its name and the first 8 hexadecimal digits of what it computes. */
export function runId(name: string, plan: Plan): string {
  return `${name}-${digestOf(plan).slice(0, 8)}`
}

export type StageState = 'waiting' | 'running' | 'computed' | 'cached' | 'failed'

/** What a person sees of a running stage; the same structure for the CLI, Temporal queries and MLflow. */
export interface StageProgress {
  readonly key: string
  readonly kind: StageKind
  readonly title: string
  readonly state: StageState
  /** Of a stage that waits: another run computes it. */
  readonly elsewhere?: boolean
  /** Steps done and in all, where a stage counts steps. */
  readonly step?: number
  readonly steps?: number
  readonly loss?: number
  /** The step of the checkpoint from which the attempt that is running went on. */
  readonly resumedAt?: number
  /** Milliseconds since 1970 at which the attempt that is running began. */
  readonly startedAt?: number
  /** The same of the moment at which `step` was reported. */
  readonly steppedAt?: number
  /** Wall seconds of the work, once it is done. */
  readonly seconds?: number
  /** Why it failed, or why an earlier attempt did. */
  readonly error?: string
}

export interface RunProgress {
  readonly id: string
  /** No stage goes on until the run is resumed. */
  readonly paused?: boolean
  readonly stages: readonly StageProgress[]
}

/** What a stage's activity sends with its heartbeats. */
export type StepProgress = Pick<StageProgress, 'step' | 'steps' | 'loss' | 'resumedAt'>

/** What the workflow answers. */
export interface RunResult {
  readonly id: string
  readonly computed: number
  readonly cached: number
  /** Seconds of the stages computed in this run, side by side ones added up. */
  readonly stageSeconds: number
  /** Where the report's files are, as a URL of the store. */
  readonly report: string
  /** Digest of the report's computed part. */
  readonly digest: string
  readonly results: readonly ResultRow[]
  /** Stages that failed, with the reason; the report stands without them. */
  readonly failed: readonly { readonly title: string; readonly reason: string }[]
  /** What else went wrong without touching a result: the tracking server could not be reached. */
  readonly notes: readonly string[]
}
