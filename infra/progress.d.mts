/** Runs a part of the set-up. Its steps are shown with its number. */
export function inPart<T>(number: number, count: number, work: () => Promise<T>): Promise<T>

export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/**
 * Shows the steps of the set-up. Several may run side by side. On a terminal one line is kept up to
 * date; elsewhere a line is written when a step begins and ends, and every 30 seconds in between.
 */
export class Progress {
  /** `everyMs`: milliseconds between two updates. */
  constructor(stream: ProgressStream, everyMs?: number)
  say(line: string): void
  step<T>(title: string, work: () => Promise<T>): Promise<T>
}
