/** One thing that Zeroshift needs, or is better off with. */
export interface Check {
  readonly name: string
  /** Answers what was found, or throws with what is wrong. */
  readonly look: () => string | Promise<string>
  readonly remedy: string
  /** False: Zeroshift runs without it. */
  readonly needed: boolean
}

export interface Checked {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  /** What was found, or what is wrong. */
  readonly found: string
  /** Where it is not as it should be. */
  readonly remedy?: string
}

export async function checked({ name, look, remedy, needed }: Check): Promise<Checked> {
  try {
    return { name, state: 'ok', found: await look() }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return { name, state: needed ? 'failed' : 'warning', found, remedy }
  }
}
