/** Does a part of the set-up, whose steps are shown with its number. */
export function inPart<T>(number: number, count: number, work: () => Promise<T>): Promise<T>

export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/**
 * Shows the steps of the set-up, of which several may go on side by side. On a terminal one line is kept
 * up to date; elsewhere a line says when a step begins and ends, and every 30 seconds that it goes on.
 */
export class Progress {
  /** `everyMs`: between looks at what goes on. */
  constructor(stream: ProgressStream, everyMs?: number)
  say(line: string): void
  step<T>(title: string, work: () => Promise<T>): Promise<T>
}
