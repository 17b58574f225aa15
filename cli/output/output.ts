import type { StageKind } from '../../experiment/stages/stage.ts'
import { errorMessage, UserError, type Problem } from '../../common/errors.ts'
import type { RunResult } from '../../experiment/records/run.ts'
import type { SweepProgress } from '../../experiment/sweep/sweep.ts'
import { shortened } from '../../common/terminal-text.ts'
import type { Verification } from '../../report/verification.ts'
import type { Estimate } from './estimate.ts'
import type { LedgerRow } from './ledger-rows.ts'
import { printJson, printProblem, printTo } from './print.ts'
import type { CheckedSignatures } from '../workspace/report-signatures.ts'
import type { CertificateAnswer } from './certificate-answer.ts'

/** The object that `--json` prints for `run`, `sweep`, `resume`, `verify` and `forget`. */
export interface Answer {
  readonly id?: string
  readonly status:
    | 'completed'
    | 'failed'
    | 'cancelled'
    | 'running'
    | 'planned'
    | 'invalid'
    | 'verified'
    | 'within-floor'
    | 'different'
    | 'unsigned'
  /** The URL of the report. Null if there is none. */
  readonly report: string | null
  readonly stages: { readonly computed: number; readonly cached: number }
  readonly results: readonly {
    readonly method: string
    readonly metrics: Readonly<Record<string, number | null>>
    /**
     * For several seeds, by metric: half of the mean's 95% interval, or both ends if it is not
     * symmetric, and the number of seeds that have the metric.
     */
    readonly intervals?: Readonly<Record<string, number | readonly [low: number, high: number] | null>>
    readonly n?: Readonly<Record<string, number>>
  }[]
  readonly digest?: string
  readonly failed?: RunResult['failed']
  readonly notes?: RunResult['notes']
  readonly error?: string
  readonly problems?: readonly Problem[]
  /** Only from `verify`. */
  readonly verification?: Verification
  /**
   * Only from `verify`: the stages whose external programs gave other bytes from the same inputs.
   */
  readonly notReproducible?: readonly string[]
  readonly signatures?: CheckedSignatures
  /** Only from `verify` of a certificate. */
  readonly certificate?: CertificateAnswer
  /** Only from `verify --recompute`. The digest is that of the model that was computed. */
  readonly recomputed?: {
    readonly ledger: string
    readonly number: number
    readonly model: string | null
    /** Whether it is the model in the record. */
    readonly same: boolean
  }
  /** Only from `sweep`: the cells that it would compute, or the counts of its results. */
  readonly cells?: readonly object[] | SweepCounts
  readonly shared?: number
  /** Only from `forget`: the request and how it was settled. Null with `--queued`. */
  readonly request?: LedgerRow | null
  /** Only from `--dry-run` of `run` and `sweep`. */
  readonly estimate?: Omit<Estimate, 'byKey'>
  readonly plan?: readonly {
    readonly kind: StageKind
    readonly title: string
    readonly key: string
    readonly cached: boolean
  }[]
}

export type SweepCounts = Pick<
  SweepProgress,
  'cells' | 'done' | 'cached' | 'incomplete' | 'stopped' | 'failures'
>

/**
 * The output of a command: lines for people, and one answer, which is the exit code and, with
 * `--json`, an object.
 */
export interface Output {
  readonly out: NodeJS.WriteStream
  readonly printLine: (line: string) => void
  /** Returns the seconds since the command began. */
  readonly seconds: () => number
  readonly answer: (code: number, answer: Pick<Answer, 'status'> & Partial<Answer>) => number
}

/**
 * Runs a command that gives an answer in every case. An error is printed, and the answer describes
 * it. Returns the exit code.
 */
export async function withOutput(
  { json }: { readonly json?: true },
  work: (output: Output) => Promise<number>,
): Promise<number> {
  const output = createOutput(json ?? false)
  try {
    return await work(output)
  } catch (error) {
    printProblem(error)
    const { code, answer } = refusalOf(error)
    return output.answer(code, answer)
  }
}

/** Returns the exit code and the answer for an error that ended a command. */
export function refusalOf(error: unknown): {
  readonly code: number
  readonly answer: Pick<Answer, 'status'> & Partial<Answer>
} {
  if (error instanceof UserError)
    return { code: 2, answer: { status: 'invalid', problems: error.problems.map(briefly) } }
  const reason = errorMessage(error)
  return { code: 1, answer: { status: 'failed', error: reason } }
}

/** Returns the problem with long words shortened. */
function briefly(problem: Problem): Problem {
  const { message, file, path } = problem
  return {
    ...problem,
    message: shortened(message),
    ...(file !== undefined && { file: shortened(file) }),
    ...(path !== undefined && { path: shortened(path) }),
  }
}

export function createOutput(json: boolean): Output {
  const began = performance.now()
  const out = json ? process.stderr : process.stdout
  const seconds = () => Math.round(performance.now() - began) / 1000
  return {
    out,
    seconds,
    printLine: (line) => {
      printTo(out, line)
    },
    answer(code, answer) {
      const { id, status, report = null, stages = { computed: 0, cached: 0 }, results = [], ...more } = answer
      const whole = { id, status, report, stages, seconds: seconds(), results, ...more }
      if (json) printJson(whole)
      return code
    },
  }
}
