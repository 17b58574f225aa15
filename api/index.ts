/**
 * The module `zeroshift` as programs import it. It does not load TensorFlow. The file entry.mjs
 * lists the same names.
 */
export {
  plan,
  readRun,
  run,
  type ConfigOptions,
  type ExperimentConfig,
  type PluginSection,
  type MethodRow,
  type PlannedRun,
  type PlannedStage,
  type PluginName,
  type PluginRow,
  type RunOptions,
  type StoredRun,
  type StoredStage,
} from './library.ts'
export * from './options.ts'
export { UserError, type Problem } from '../common/errors.ts'
export type { Manifest, ManifestOf } from '../experiment/records/manifest.ts'
export type { Figure, MetricName, ResultRow } from '../experiment/records/results.ts'
export type { RunProgress, RunResult, StageProgress, StageState } from '../experiment/records/run.ts'
export type { DatasetFacts } from '../experiment/spec/dataset.ts'
export type { Spec } from '../experiment/spec/spec.ts'
export type { StageKind } from '../experiment/stages/stage.ts'
