/** The first Ctrl-C (or SIGTERM) asks for an orderly end, the second ends the process. */
export interface Interruption {
  requested(): boolean
  /** Calls the action when it is asked for, or now if it was. */
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
