/** The most characters of a line that are kept. */
export const LONGEST_LINE = 65_536

/**
 * Divides a stream of text into lines. A carriage return ends a line as well, since progress bars
 * write one after each update. Empty lines are left out.
 */
export class LineReader {
  private readonly onLine: (line: string, isCut: boolean) => void
  private pending = ''
  private isCut = false

  /** `onLine` is called with each line. A line with more than LONGEST_LINE characters is cut. */
  constructor(onLine: (line: string, isCut: boolean) => void) {
    this.onLine = onLine
  }

  push(text: string): void {
    const parts = text.split(/[\r\n]/)
    parts.forEach((part, i) => {
      const room = LONGEST_LINE - this.pending.length
      this.pending += part.slice(0, room)
      this.isCut ||= part.length > room
      if (i < parts.length - 1) this.end()
    })
  }

  /** Ends the line that has begun. */
  end(): void {
    const [line, isCut] = [this.pending, this.isCut]
    this.pending = ''
    this.isCut = false
    if (line.trim() !== '') this.onLine(line, isCut)
  }
}
