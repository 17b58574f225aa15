import { errorMessage } from '../../common/errors.ts'

/** A check of something that Zeroshift needs or that improves it. */
export interface Check {
  readonly name: string
  /** Returns what was found, or throws an error that says what is wrong. */
  readonly perform: () => string | Promise<string>
  readonly remedy: string
  /** False if Zeroshift runs without it. */
  readonly needed: boolean
}

export interface Checked {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  /** The result of the check, or the problem. */
  readonly found: string
  /** The remedy of a problem. */
  readonly remedy?: string
}

export async function checked({ name, perform, remedy, needed }: Check): Promise<Checked> {
  try {
    return { name, state: 'ok', found: await perform() }
  } catch (error) {
    const found = errorMessage(error)
    return { name, state: needed ? 'failed' : 'warning', found, remedy }
  }
}
