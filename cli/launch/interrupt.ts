/** The first Ctrl-C (or SIGTERM) requests an orderly end. The second ends the process. */
export interface Interruption {
  requested(): boolean
  /** Calls the action when the end is requested, or at once if it was requested already. */
  onRequest(action: () => void): void
  off(): void
}

export function interruption(): Interruption {
  let requested = false
  let act: (() => void) | undefined
  const onSignal = () => {
    if (requested) process.exit(130)
    requested = true
    act?.()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    requested: () => requested,
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
