import { onTestFinished, vi } from 'vitest'

type Stream = 'stdout' | 'stderr'

export interface CapturedOutput {
  /** The text that was written since the capture began, or since the last `clear`. */
  readonly text: string
  clear(): void
}

/**
 * Collects what is written to streams of this process instead of showing it, until the test has
 * ended.
 */
export function captureOutput(...streams: readonly Stream[]): CapturedOutput {
  let text = ''
  const spies = streams.map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      text += chunk.toString()
      return true
    }),
  )
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return {
    get text() {
      return text
    },
    clear() {
      text = ''
    },
  }
}
