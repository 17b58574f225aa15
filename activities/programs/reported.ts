import type { CurvePoint } from '../../experiment/records/measured.ts'
import type { StepProgress } from '../../experiment/records/run.ts'
import type { ProgressLine } from '../../programs/contract.ts'

/** What a program has reported up to now. Plain JSON, as it is part of snapshots. */
export interface Reported {
  /** The steps that are done. */
  readonly step: number
  readonly curve: readonly CurvePoint[]
  /** Distinct samples that the program used, by set. */
  readonly samplesUsed?: { readonly retained: number; readonly forget: number }
  /** The last value of each figure of its own. Absent if there are none. */
  readonly figures?: Readonly<Record<string, number>>
}

const nothing: Reported = { step: 0, curve: [] }

/** Collects what a program reports, and what it had reported when it saved each checkpoint. */
export class ProgramReports {
  private state: Omit<Reported, 'curve'>
  private readonly curve: CurvePoint[]
  private progress: StepProgress = {}
  private readonly atCheckpoint = new Map<string, Omit<Reported, 'curve'> & { readonly points: number }>()

  /** `resumed`: what was reported up to the checkpoint from which the program continues. */
  constructor({ curve, ...state }: Reported = nothing) {
    this.state = state
    this.curve = [...curve]
    if (state.step > 0) this.progress = { step: state.step }
  }

  add(line: ProgressLine): void {
    const { step = this.state.step, loss, accuracy, samples, metrics, checkpoint } = line
    const { retained, forget } = this.state.samplesUsed ?? { retained: 0, forget: 0 }
    this.state = {
      ...this.state,
      step,
      ...(metrics && { figures: { ...this.state.figures, ...metrics } }),
      ...(samples && {
        samplesUsed: { retained: samples.retained ?? retained, forget: samples.forget ?? forget },
      }),
    }
    if (loss !== undefined) this.addPoint({ step, loss, ...(accuracy !== undefined && { accuracy }) })
    const { step: at, steps } = line
    this.progress = {
      ...this.progress,
      ...(at !== undefined && { step: at }),
      ...(steps !== undefined && { steps }),
      ...(loss !== undefined && { loss }),
    }
    if (checkpoint !== undefined)
      this.atCheckpoint.set(checkpoint, { ...this.state, points: this.curve.length })
  }

  get all(): Reported {
    return { ...this.state, curve: this.curve }
  }

  get latestProgress(): StepProgress {
    return this.progress
  }

  /** What had been reported when the program saved a checkpoint. */
  upTo(checkpoint: string): Reported {
    const { points, ...state } = this.atCheckpoint.get(checkpoint) ?? {
      ...this.state,
      points: this.curve.length,
    }
    return { ...state, curve: this.curve.slice(0, points) }
  }

  /**
   * A step that is reported a second time, or an earlier one, replaces what was reported before.
   */
  private addPoint(point: CurvePoint): void {
    while ((this.curve.at(-1)?.step ?? -1) >= point.step) this.curve.pop()
    this.curve.push(point)
  }
}
