/** What the worker serves. */
export { experiment } from './experiment.ts'
export { tracking } from './tracking.ts'
export { sweep } from './sweep.ts'
