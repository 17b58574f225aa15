import { openArtifacts, type Artifacts } from '../artifacts/artifacts.ts'
import type { KeptRun, RunEnd, RunInput, RunRecord, RunResult } from '../experiment/records/run.ts'
import type { Settings } from '../experiment/spec/settings.ts'
import type { CellFailure, CellInput, SweepEnd } from '../experiment/sweep/sweep.ts'
import type { SigningKey } from '../signatures/keys.ts'
import type { Delivered } from '../tracking/deliver.ts'
import { refuseElsewhere, type AllowedPrefixes } from './runtime/allowed-places.ts'
import { withHeartbeat } from './runtime/heartbeat.ts'
import { asFailure } from './runtime/errors.ts'
import { HeldCode } from './runtime/held-code.ts'
import { KnownRuns } from './runtime/known-runs.ts'
import type { JudgeTask, NextTask, SettleTask, StepTask } from './ledger.ts'
import type { WrittenReport } from './report.ts'
import {
  keptCell,
  keptStages,
  storedPart,
  recordIn,
  type KeptCell,
  type KeptTask,
  type StoredPart,
} from './runtime/stored-run.ts'
import { stageActivities } from './stages/index.ts'
import type { Ended, SettledTask, SweepTask } from './sweep.ts'

export { allowedPrefixes } from './runtime/allowed-places.ts'

export interface ReportTask {
  readonly run: RunRecord | KeptRun
  readonly settings: RunInput['settings']
  readonly failed: RunResult['failed']
}

export interface TrackTask {
  readonly run: RunRecord | KeptRun
  readonly settings: RunInput['settings']
  readonly tracking: NonNullable<Settings['tracking']>
  /** The id of the sweep. Present if the run is one of its cells. */
  readonly sweep?: string
  /** Absent while the run goes on. */
  readonly ended?: RunEnd
}

export interface TrackSweepTask extends SweepTask {
  /** Absent while the sweep goes on. */
  readonly ended?: SweepEnd
}

export interface PlanPartTask {
  /** The id of the run. */
  readonly id: string
  readonly store: string
  /** Counts from 0. */
  readonly part: number
}

export type Activities = ReturnType<typeof createActivities>

export interface ActivityOptions {
  /** When it aborts, long stages keep a checkpoint and hand over. */
  readonly stopping?: AbortSignal
  /** Where tasks may lead; anywhere unless given. */
  readonly allowed?: AllowedPrefixes
  /** Signs the stages that are computed and the reports that are rendered. */
  readonly signer?: SigningKey
  /** Whether external programs, and plug-ins that others have bundled, may be executed. */
  readonly allowsPrograms?: boolean
}

/**
 * Every activity by name. Each checks that its task leads to allowed places before it reads
 * anything. Throws a UserError if the allowed prefixes are wrong.
 */
export function createActivities({ stopping, allowed = {}, signer, allowsPrograms }: ActivityOptions = {}) {
  const refuse = refuseElsewhere(allowed)
  const code = new HeldCode()
  const runs = new KnownRuns()
  const openStore = (store: string): Artifacts => {
    refuse({ store })
    return openArtifacts(store)
  }
  return {
    kept: (task: KeptTask) =>
      failing(() => {
        refuse(task.settings)
        return keptStages(task)
      }),
    ...stageActivities({
      refuse,
      code,
      runs,
      ...(stopping && { stopping }),
      ...(signer && { signer }),
      ...(allowsPrograms !== undefined && { allowsPrograms }),
    }),

    /** Writes the record of a run that has ended, and its report. */
    async report({ run, settings, failed }: ReportTask): Promise<WrittenReport> {
      const { concludeRun } = await import('./report.ts')
      return failing(async () => {
        const artifacts = openStore(settings.store)
        const record = await recordIn(artifacts, run)
        return concludeRun(artifacts, { run: record, settings }, failed, signer)
      })
    },

    /** Sends what the tracking server does not have of a run yet. */
    async track({ settings, run, ...task }: TrackTask): Promise<Delivered> {
      const { track } = await import('./delivery/track.ts')
      return failing(async () => {
        refuse(task)
        const artifacts = openStore(settings.store)
        return track(artifacts, { run: await recordIn(artifacts, run), ...task })
      })
    },

    /**
     * Sends what the tracking server does not have of a sweep yet. Once the sweep has ended, this
     * includes its cells that found all their results in the store.
     */
    async trackSweep({ id, store, ended }: TrackSweepTask): Promise<Delivered> {
      const [{ trackSweep }, { sweepIn }] = await Promise.all([
        import('./delivery/track-sweep.ts'),
        import('./sweep.ts'),
      ])
      return failing(async () => {
        const artifacts = openStore(store)
        const sweep = await sweepIn(artifacts, id)
        // Where it is tracked stands in the store alone.
        refuse({ tracking: sweep.tracking })
        return trackSweep(artifacts, { sweep, ended })
      })
    },

    /**
     * A run of a sweep that began under 0.3: what it is, and which of its stages are in the store.
     */
    async keptRun({ cell, store }: CellInput): Promise<KeptCell> {
      return failing(() => keptCell(openStore(store), cell))
    },

    /** A piece of the plan of a run whose record is in the store. */
    async planPart({ store, ...which }: PlanPartTask): Promise<StoredPart> {
      return failing(() => storedPart(openStore(store), runs, which))
    },

    async cellsOf(task: SweepTask) {
      const { cellsOf } = await import('./sweep.ts')
      return failing(() => cellsOf(openStore(task.store), task.id))
    },

    async settled(task: SettledTask) {
      const { settledRuns } = await import('./sweep.ts')
      return failing(() => settledRuns(openStore(task.store), task))
    },

    async whichEnded(
      workflows: readonly { readonly run: string; readonly workflow: string }[],
    ): Promise<readonly Ended[]> {
      const { whichEnded } = await import('./sweep.ts')
      return failing(() => whichEnded(workflows))
    },

    async reportSweep({ id, store, failures }: SweepTask & { readonly failures: readonly CellFailure[] }) {
      const { writeSweepReport } = await import('./sweep.ts')
      return failing(() => writeSweepReport(openStore(store), id, failures))
    },

    async nextRequest({ store, ...task }: NextTask) {
      const { nextRequest } = await import('./ledger.ts')
      return failing(() => nextRequest(openStore(store), task))
    },

    async planStep({ store, ...task }: StepTask) {
      const { planStep } = await import('./ledger.ts')
      return failing(() => planStep(openStore(store), task))
    },

    async judgeStep({ store, ...task }: JudgeTask) {
      const { judgeStep } = await import('./ledger.ts')
      return failing(() => judgeStep(openStore(store), task))
    },

    async settleRequest({ store, ...task }: SettleTask) {
      const { settleRequest } = await import('./ledger.ts')
      return failing(() => settleRequest(openStore(store), task))
    },
  }
}

/** Stages show life themselves; the rest does so here. */
async function failing<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await withHeartbeat(work)
  } catch (error) {
    throw asFailure(error)
  }
}
