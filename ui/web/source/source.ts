import type {
  ControlAction,
  ControlAnswer,
  ControlRequest,
  Failure,
  RunList,
  SweepNews,
  TemporalState,
} from '../../contract.ts'
import type { RunProgress } from '../../../experiment/records/run.ts'
import type { Question } from './questions.ts'

/** The place that answers come from: the server, or the files of an export. */
export interface Source {
  /** Rejects with an AnswerError. */
  ask<Answer>(question: Question<Answer>): Promise<Answer>
  /** Calls the listener with changes until the returned function is called. */
  follow(scope: Scope, listener: Listener): () => void
  /** Changes a run. Rejects with an AnswerError. */
  change(run: string, action: ControlAction, token: string, request?: ControlRequest): Promise<ControlAnswer>
}

/** What is followed, besides the list of runs. */
export interface Scope {
  readonly run?: string
  readonly sweep?: string
}

export interface Listener {
  readonly runs?: (list: RunList) => void
  readonly run?: (progress: RunProgress) => void
  readonly sweep?: (news: SweepNews) => void
  readonly temporal?: (state: TemporalState) => void
  readonly connection?: (state: ConnectionState) => void
}

/** `none`: the answers never change. */
export type ConnectionState = 'connected' | 'lost' | 'none'

export class AnswerError extends Error {
  readonly remedy: string | undefined
  constructor({ error, remedy }: Failure) {
    super(error)
    this.name = 'AnswerError'
    this.remedy = remedy
  }
}

/** Returns what is shown of an error. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { error: String(error) }
  const { message } = error
  return error instanceof AnswerError && error.remedy !== undefined
    ? { error: message, remedy: error.remedy }
    : { error: message }
}
