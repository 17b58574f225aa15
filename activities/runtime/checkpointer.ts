import { LeaseLostError } from '../../artifacts/progress/lease.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { Checkpoints, type Checkpoint } from '../../artifacts/progress/checkpoints.ts'
import { canonicalJson } from '../../common/canonical.ts'
import type { TensorFlowEnvironment } from '../../experiment/records/manifest.ts'
import { computesOnDevice, type StageRef } from '../../experiment/stages/stage.ts'
import type { Snapshot } from '../../learning/training/host.ts'
import { checkpointed } from './events.ts'
import { WorkTimer } from './work-timer.ts'

/**
 * The work between two checkpoints takes at least this many times as long as the first of them, so
 * that checkpoints cost less than 2% of the time.
 */
const WORK_PER_CHECKPOINT = 60

export interface CheckpointerOptions {
  readonly artifacts: Artifacts
  readonly stage: StageRef & { readonly params: object }
  /** The time between two checkpoints. */
  readonly checkpointSeconds: number
  /**
   * A digest of the stage's inputs: a checkpoint that was computed from other inputs is not used.
   */
  readonly inputs: string
  /** The device of this attempt. Is called only if the stage or a checkpoint needs a device. */
  readonly tensorflow: () => Promise<TensorFlowEnvironment>
  /** Throws a LeaseLostError if another attempt has the stage now. */
  readonly confirm: () => Promise<void>
  /** Is called with the path of each checkpoint that was saved. */
  readonly onSaved: (path: string) => void
  /** Is called if a checkpoint could not be saved. */
  readonly onFailed: (error: unknown) => void
}

/** Saves the checkpoints of one attempt, and finds the one from which the attempt continues. */
export class Checkpointer {
  /** The checkpoint from which this attempt continues. */
  readonly resumed: Checkpoint | undefined
  readonly timer: WorkTimer
  private readonly options: CheckpointerOptions
  private readonly checkpoints: Checkpoints
  private saved: number
  private dueAt: number

  private constructor(
    options: CheckpointerOptions,
    checkpoints: Checkpoints,
    resumed: Checkpoint | undefined,
  ) {
    this.options = options
    this.checkpoints = checkpoints
    this.resumed = resumed
    this.timer = new WorkTimer(resumed)
    this.saved = resumed?.step ?? 0
    this.dueAt = performance.now() + 1000 * options.checkpointSeconds
  }

  /**
   * Looks for the newest checkpoint of the stage that was computed from the same inputs and on an
   * equal device with equally divided batches: only from there does the work end in the same bytes.
   */
  static async open(options: CheckpointerOptions): Promise<Checkpointer> {
    const { artifacts, stage } = options
    const checkpoints = new Checkpoints(artifacts, stage)
    // Checkpoints of older versions do not name their inputs.
    const resumed = await checkpoints.newest(
      async ({ tensorflow, inputs = options.inputs }) =>
        inputs === options.inputs &&
        (!tensorflow || canonicalJson(tensorflow) === canonicalJson(await options.tensorflow())),
    )
    return new Checkpointer(options, checkpoints, resumed)
  }

  /** The last step that a checkpoint has; 0 without one. */
  get savedStep(): number {
    return this.saved
  }

  /** Saves a checkpoint. Throws a LeaseLostError if another attempt has the stage now. */
  async save(take: () => Promise<Snapshot>): Promise<void> {
    const { stage, inputs, tensorflow, confirm, onSaved } = this.options
    const start = performance.now()
    const snapshot = await take()
    await confirm()
    const device = computesOnDevice(stage) ? await tensorflow() : undefined
    const path = await this.checkpoints.save({
      ...snapshot,
      seconds: this.timer.seconds(),
      otherWork: this.timer.otherWork(),
      inputs,
      ...(device && { tensorflow: device }),
    })
    this.saved = snapshot.step
    onSaved(path)
    checkpointed.publish({ kind: stage.kind, seconds: (performance.now() - start) / 1000 })
  }

  /**
   * Saves a checkpoint if the last one is long enough ago. A checkpoint that cannot be saved does
   * not end the work: the next one may succeed, and the stage may finish without it.
   */
  async saveWhenDue(take: () => Promise<Snapshot>): Promise<void> {
    const start = performance.now()
    if (start < this.dueAt) return
    let tookMs = 0
    try {
      await this.save(take)
      tookMs = performance.now() - start
    } catch (error) {
      if (error instanceof LeaseLostError) throw error
      this.options.onFailed(error)
    }
    const { checkpointSeconds } = this.options
    this.dueAt = performance.now() + Math.max(1000 * checkpointSeconds, WORK_PER_CHECKPOINT * tookMs)
  }
}
