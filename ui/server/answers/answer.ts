import { UserError } from '../../../common/errors.ts'
import type { Failure } from '../../contract.ts'

/** The answer of a route. `json` is a value of `ui/contract.ts`, `text` its text if it is known. */
export type Answer =
  | { readonly json: unknown; readonly text?: string }
  | { readonly bytes: Uint8Array; readonly type: string; readonly name?: string }

/** The parts of a path that a route names. */
export type Params = Readonly<Record<string, string>>

/** A request that cannot be answered. `failure` is the answer in its place. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest'
  readonly status: number
  readonly failure: Failure

  constructor(status: number, error: string, remedy?: string) {
    super(error)
    this.status = status
    this.failure = { error, ...(remedy !== undefined && { remedy }) }
  }
}

/** Returns the status and the answer for an error. The text of an unexpected error is not shown. */
export function failureOf(error: unknown): { readonly status: number; readonly failure: Failure } {
  if (error instanceof RefusedRequest) return error
  if (error instanceof UserError) return { status: 422, failure: { error: error.message } }
  return {
    status: 500,
    failure: {
      error: 'the server of the page failed to answer',
      remedy: 'its terminal shows the reason; load the page again',
    },
  }
}
