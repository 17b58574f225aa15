import { printError } from './print.ts'

/** A holder of the store's lock shows life within seconds, or is taken for dead after a minute. */
export function sayWaiting(holder: string): void {
  printError(`${holder} holds the store. Waiting to see whether it is still at work …`)
}
