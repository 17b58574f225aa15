/** The workflows that the worker runs. */
export { experiment } from './experiment.ts'
export { tracking } from './tracking.ts'
export { ledger } from './ledger.ts'
export { sweep } from './sweep.ts'
