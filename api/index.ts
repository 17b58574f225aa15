/** What `import … from 'zeroshift'` gives. api/entry.mjs lists the same names. */
export {
  plan,
  readRun,
  run,
  type ConfigOptions,
  type ExperimentConfig,
  type PlannedRun,
  type PlannedStage,
  type RunOptions,
  type StoredRun,
} from './library.ts'
