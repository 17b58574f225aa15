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
  /** The last value of each figure of its own. */
  readonly figures: Readonly<Record<string, number>>
}

const nothing: Reported = { step: 0, curve: [], figures: {} }

/** Adds one line to what a program has reported. */
function withLine(reported: Reported, { step, loss, accuracy, samples, metrics }: ProgressLine): Reported {
  const at = step ?? reported.step
  const earlier = reported.samplesUsed ?? { retained: 0, forget: 0 }
  const point = loss !== undefined && { step: at, loss, ...(accuracy !== undefined && { accuracy }) }
  return {
    step: at,
    curve: point ? [...reported.curve.filter((other) => other.step !== at), point] : reported.curve,
    ...(samples
      ? {
          samplesUsed: {
            retained: samples.retained ?? earlier.retained,
            forget: samples.forget ?? earlier.forget,
          },
        }
      : reported.samplesUsed && { samplesUsed: reported.samplesUsed }),
    figures: { ...reported.figures, ...metrics },
  }
}

/** Collects what a program reports, and what it had reported when it saved each checkpoint. */
export class ProgramReports {
  private reported: Reported
  private progress: StepProgress = {}
  private readonly atCheckpoint = new Map<string, Reported>()

  /** `resumed`: what was reported up to the checkpoint from which the program continues. */
  constructor(resumed: Reported = nothing) {
    this.reported = resumed
    if (resumed.step > 0) this.progress = { step: resumed.step }
  }

  add(line: ProgressLine): void {
    this.reported = withLine(this.reported, line)
    const { step, steps, loss, checkpoint } = line
    this.progress = {
      ...this.progress,
      ...(step !== undefined && { step }),
      ...(steps !== undefined && { steps }),
      ...(loss !== undefined && { loss }),
    }
    if (checkpoint !== undefined) this.atCheckpoint.set(checkpoint, this.reported)
  }

  get all(): Reported {
    return this.reported
  }

  get latestProgress(): StepProgress {
    return this.progress
  }

  /** What was reported when the program saved a checkpoint. */
  upTo(checkpoint: string): Reported {
    return this.atCheckpoint.get(checkpoint) ?? this.reported
  }
}
