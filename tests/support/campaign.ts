import { appendFileSync } from 'node:fs'

/** `npm run test:faults` repeats each fault more often, and keeps what it measured. */
export const campaign = process.env.ZEROSHIFT_CAMPAIGN !== undefined

/** A measured figure: a line of JSON in the file that ZEROSHIFT_CAMPAIGN names. */
export function figure(name: string, value: unknown): void {
  const file = process.env.ZEROSHIFT_CAMPAIGN
  if (file) appendFileSync(file, `${JSON.stringify({ name, value })}\n`)
}
