import { withStoreLock } from '../../artifacts/removal/store-lock.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { interruption } from '../launch/interrupt.ts'
import { printError } from '../output/print.ts'

/**
 * Runs what deletes from a store, one command at a time. Ctrl-C ends it before the next part goes,
 * at a `confirm`, and lets go of the store; a second one ends the process.
 */
export function deleting<T>(
  store: ObjectStore,
  command: string,
  work: (confirm: () => void) => Promise<T>,
): Promise<T> {
  return withStoreLock(store, { command, onWait: sayWaiting }, async (isMine) => {
    const interrupt = interruption()
    try {
      return await work(() => {
        isMine()
        if (interrupt.requested()) throw new Error('stopped half-way: the same command goes on with the rest')
      })
    } finally {
      interrupt.off()
    }
  })
}

/** A holder of the store's lock shows life within seconds, or is taken for dead after a minute. */
function sayWaiting(holder: string): void {
  printError(`${holder} holds the store. Waiting to see whether it is still at work …`)
}
