import { withStoreLock } from '../../artifacts/removal/store-lock.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { interruption } from '../launch/interrupt.ts'
import { printError } from '../output/print.ts'

/**
 * Runs a command that deletes from a store, while no other such command runs. Ctrl-C stops it at
 * the next `confirm` and releases the store. A second Ctrl-C ends the process.
 */
export function withDeletionLock<T>(
  store: ObjectStore,
  command: string,
  work: (confirm: () => void) => Promise<T>,
): Promise<T> {
  return withStoreLock(store, { command, onWait: printWaiting }, async (isMine) => {
    const interrupt = interruption(() => {
      printError('Stopping after what is being deleted now. Once more to stop at once.')
    })
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

/** The holder of the store's lock renews it within seconds, or counts as dead after a minute. */
function printWaiting(holder: string): void {
  printError(`${holder} holds the store. Waiting to see whether it is still at work …`)
}
