import { digestOf } from '../../common/canonical.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import type { Plan } from '../plan/types.ts'
import type { ResultRow } from './results.ts'
import type { Settings } from '../spec/settings.ts'
import type { Spec } from '../spec/spec.ts'
import type { StageKind } from '../stages/stage.ts'

/**
 * The request for a run. The same spec on the same data is the same run, so that starting it a
 * second time joins the first.
 */
export interface RunRecord {
  readonly id: string
  readonly spec: Spec
  readonly facts: DatasetFacts
  readonly plan: Plan
  /** The config's path and the overrides as given, for the command that reproduces the run. */
  readonly command: {
    readonly config: string
    readonly overrides: readonly string[]
    /** The ledger of which the run is a step. The config is then that of the ledger. */
    readonly ledger?: string
  }
  /** The places of the data and of the tracking server, and the settings for durability. */
  readonly settings?: RunSettings
  /** Stages that failed in the last execution. Absent before the first one ends. */
  readonly failed?: RunResult['failed']
}

/** All settings but the store, in which the record is. */
export interface RunSettings extends Omit<Settings, 'store'> {
  /**
   * The places of models that were made elsewhere, by the digest of their files. Absent if there
   * are none.
   */
  readonly places?: Readonly<Record<string, string>>
}

export interface RunInput {
  readonly run: RunRecord
  readonly settings: RunSettings & { readonly store: string }
}

/** A run whose record is in the store. */
export interface KeptRun {
  readonly id: string
}

/** The record of a run as the store keeps it. */
export function recordOf({ run, settings: { store: _, ...settings } }: RunInput): RunRecord {
  return { ...run, settings }
}

/** The end of a run, in MLflow's terms. */
export interface RunEnd {
  readonly status: 'FINISHED' | 'FAILED' | 'KILLED'
  /** Milliseconds since 1970. */
  readonly at: number
}

/** The id of a run: its name and the first 8 hexadecimal digits of the digest of its plan. */
export function runId(name: string, plan: Plan): string {
  return `${name}-${digestOf(plan).slice(0, 8)}`
}

export type StageState = 'waiting' | 'running' | 'computed' | 'cached' | 'failed'

/** The progress of a stage, for the CLI, Temporal queries and MLflow. */
export interface StageProgress {
  readonly key: string
  readonly kind: StageKind
  readonly title: string
  readonly state: StageState
  /** The stage is waiting because another run is computing it. */
  readonly elsewhere?: boolean
  /** Steps done and all steps, if the stage counts steps. */
  readonly step?: number
  readonly steps?: number
  readonly loss?: number
  /** The step of the checkpoint from which the current attempt continued. */
  readonly resumedAt?: number
  /** The start of the current attempt, in milliseconds since 1970. */
  readonly startedAt?: number
  /** The time at which `step` was reported, in milliseconds since 1970. */
  readonly steppedAt?: number
  /** Wall seconds of the work. Present when the work is done. */
  readonly seconds?: number
  /** The error of the stage, or of an earlier attempt. */
  readonly error?: string
}

export interface RunProgress {
  readonly id: string
  /** Whether the run is paused: no stage continues until it is resumed. */
  readonly paused?: boolean
  readonly stages: readonly StageProgress[]
}

/** The progress that the activity of a stage sends with its heartbeats. */
export type StepProgress = Pick<StageProgress, 'step' | 'steps' | 'loss' | 'resumedAt'>

/** The result of the workflow of a run. */
export interface RunResult {
  readonly id: string
  readonly computed: number
  readonly cached: number
  /** The sum of the seconds of the stages that this run computed, including concurrent ones. */
  readonly stageSeconds: number
  /** The URL of the report's files in the store. */
  readonly report: string
  /** The digest of the report's computed part. */
  readonly digest: string
  readonly results: readonly ResultRow[]
  /** Stages that failed, with the reasons. The report leaves them out. */
  readonly failed: readonly { readonly title: string; readonly reason: string }[]
  /** Problems that changed no result, such as a tracking server that did not answer. */
  readonly notes: readonly string[]
}
