/** The first Ctrl-C (or SIGTERM) requests an orderly end. The second ends the process. */
export interface Interruption {
  requested(): boolean
  /** Is fulfilled when the end is requested. */
  readonly whenRequested: Promise<void>
  /** Calls the action when the end is requested, or at once if it was requested already. */
  onRequest(action: () => void): void
  off(): void
}

/** @param answer called at once when the end is requested, to say so */
export function interruption(answer: () => void = () => undefined): Interruption {
  let requested = false
  let fulfil: () => void = () => undefined
  const whenRequested = new Promise<void>((resolve) => {
    fulfil = resolve
  })
  let act: (() => void) | undefined
  const onSignal = () => {
    if (requested) process.exit(130)
    requested = true
    answer()
    fulfil()
    act?.()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    requested: () => requested,
    whenRequested,
    onRequest(action) {
      act = action
      if (requested) action()
    },
    off() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
