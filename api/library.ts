import type { z } from 'zod'
import { manifestsOf } from '../activities/report.ts'
import { answerFromStore, mayAnswerFromStore } from '../cli/launch/answer-from-store.ts'
import { withServer, type CommandServer } from '../cli/launch/command-server.ts'
import { createInspection } from '../cli/launch/inspection.ts'
import { launchRun, watchRun } from '../cli/launch/launch-run.ts'
import { prepare } from '../cli/launch/prepare.ts'
import { parsedWithPlugins, readConfig, type ConfigSource } from '../cli/launch/read-config.ts'
import { runSettings } from '../cli/launch/run-settings.ts'
import { interrupted, type Outcome } from '../cli/launch/watch-workflow.ts'
import { artifactsIn } from '../cli/workspace/existing-store.ts'
import type { Display } from '../cli/output/follow.ts'
import { createOutput, type Output } from '../cli/output/output.ts'
import { pathOrUrl } from '../cli/output/print.ts'
import { runRecordIn, storeFor } from '../cli/workspace/workspace.ts'
import { StoreView } from '../artifacts/store-view.ts'
import { createPluginLoader } from '../cli/plugins/load.ts'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { builtInDataSchemas } from '../experiment/spec/data.ts'
import type { builtInRowSchemas } from '../experiment/spec/methods.ts'
import type { builtInModelSchemas } from '../experiment/spec/model.ts'
import type { configSchema, Spec } from '../experiment/spec/spec.ts'
import type { rowTuneSchema } from '../experiment/spec/tune.ts'
import type { Manifest } from '../experiment/records/manifest.ts'
import type { ResultRow } from '../experiment/records/results.ts'
import type { RunInput, RunProgress, RunResult } from '../experiment/records/run.ts'
import type { StageKind } from '../experiment/stages/stage.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import { results } from '../report/results.ts'

/** How an object names a plug-in: by the path of its module, or as a package with a scope. */
export type PluginName = `./${string}` | `../${string}` | `/${string}` | `@${string}/${string}`

/** A row of the table that a plug-in makes. It has the plug-in's options beside these. */
export interface PluginRow {
  readonly method: PluginName
  readonly label?: string
  readonly tune?: z.input<typeof rowTuneSchema>
  readonly [option: string]: unknown
}

/** A row of the table: a method of Zeroshift, an external program, or a plug-in. */
export type MethodRow = z.input<(typeof builtInRowSchemas)[number]> | PluginRow

/**
 * A data reader or a model that a plug-in defines. It has the plug-in's options beside its name.
 */
export interface PluginSection {
  readonly name: PluginName
  readonly [option: string]: unknown
}

/** An experiment, with the options that a config file has. */
export type ExperimentConfig = Omit<z.input<typeof configSchema>, 'data' | 'model' | 'methods'> & {
  readonly data: z.input<(typeof builtInDataSchemas)[number]> | PluginSection
  readonly model: z.input<(typeof builtInModelSchemas)[number]> | PluginSection
  readonly methods: readonly MethodRow[]
}

/** Options of `plan` and `run`. */
export interface ConfigOptions {
  /**
   * The store of the results: a directory or a URL. Unless given, that of the config, of the
   * variable ZEROSHIFT_STORE, or `.zeroshift/store` in the working directory.
   */
  readonly store?: string
  /** Changes of the config such as `methods[1].rank=4`, in this order. */
  readonly overrides?: readonly string[]
  /** Receives lines for people, such as the progress of a download. */
  readonly onNote?: (line: string) => void
}

/** Options of `run`. */
export interface RunOptions extends ConfigOptions {
  /** A Temporal server, as HOST:PORT. Unless given, one is started for this run, with a worker. */
  readonly temporal?: string
  /** Receives the state of all stages, up to five times a second, and once at the end. */
  readonly onProgress?: (progress: RunProgress) => void
}

/** A stage of a planned run. */
export interface PlannedStage {
  readonly kind: StageKind
  readonly title: string
  /** The SHA-256 of everything that the result depends on, in hexadecimal digits. */
  readonly key: string
  /** Whether the store has the result. */
  readonly cached: boolean
}

/** A run that `plan` has planned. */
export interface PlannedRun {
  /** The experiment's name and 8 digits of the digest of the plan. */
  readonly id: string
  /** The config with all defaults. */
  readonly spec: Spec
  /** The stages, each after its inputs. */
  readonly stages: readonly PlannedStage[]
}

/** A stage of a run in a store. */
export interface StoredStage extends Omit<PlannedStage, 'cached'> {
  /** The record of the result: figures and digests of outputs. Absent without a result. */
  readonly manifest?: Manifest
}

/** A run in a store, as `readRun` reads it. */
export interface StoredRun {
  readonly id: string
  readonly spec: Spec
  /** The classes, the shape and the counts of the data set. */
  readonly facts: DatasetFacts
  /** The stages, each after its inputs. */
  readonly stages: readonly StoredStage[]
  /** The table of results: a row for each method, then one for each further gold model. */
  readonly results: readonly ResultRow[]
}

/**
 * Plans an experiment and computes nothing. Reads the data set, which it downloads if it is not on
 * this machine. Throws a UserError that names every mistake of the config.
 */
export async function plan(
  config: string | ExperimentConfig,
  { store, overrides = [], onNote }: ConfigOptions = {},
): Promise<PlannedRun> {
  const { run, settings } = await prepared(sourceOf(config, overrides, store), config, onNote)
  const view = new StoreView(await artifactsIn(settings.store))
  return {
    id: run.id,
    spec: run.spec,
    stages: await Promise.all(
      stagesOf(run.plan).map(async ({ kind, title, key }) => ({
        ...{ kind, title, key },
        cached: (await view.complete({ kind, key })) !== undefined,
      })),
    ),
  }
}

/**
 * Runs an experiment to its end, or reads it if all stages are in the store. Sets up TensorFlow and
 * the Temporal server if this machine lacks them. The first Ctrl-C of the program cancels the run.
 * What is computed stays in the store, so that the same call continues the run. Returns the result
 * with the table and the path or URL of the report's folder. Stages that failed are in `failed`.
 * Throws a UserError for a mistake in the config, and an Error if the run fails or is cancelled.
 */
export async function run(
  config: string | ExperimentConfig,
  { store, overrides = [], temporal, onNote = ignore, onProgress = ignore }: RunOptions = {},
): Promise<RunResult> {
  const source = sourceOf(config, overrides, store)
  const settings = runSettings(source, await parsed(source, config))
  const { bootstrap } = await import('../infra/set-up.mjs')
  await bootstrap({ temporal: false })
  const launch = temporal === undefined ? {} : { temporal }
  const display = { show: onProgress, end: ignore }
  const output: Output = { ...createOutput(true), printLine: onNote }
  return withServer(settings.store, launch, output, async (server) => {
    const mayBeStored = await mayAnswerFromStore(settings, launch, server)
    if (!mayBeStored) server.start()
    const input = await prepared(source, config, onNote)
    const stored = mayBeStored ? await answerFromStore(input, output, display) : undefined
    const { id } = input.run
    return resultOf(id, stored ?? (await outcomeOf(input, server, display)))
  })
}

/**
 * Reads a run and the manifests of its stages from a store, which is a directory or a URL. `id` is
 * the id that `run` returns. Throws a UserError if the store has no such run.
 */
export async function readRun(store: string, id: string): Promise<StoredRun> {
  const artifacts = await artifactsIn(storeFor(store))
  const record = await runRecordIn(artifacts, id)
  const manifests = await manifestsOf(artifacts, record)
  const input = { run: record, manifests, failed: record.failed ?? [] }
  return {
    ...{ id, spec: record.spec, facts: record.facts, results: results(input) },
    stages: stagesOf(record.plan).map(({ kind, title, key }) => {
      const manifest = manifests[key]
      return { kind, title, key, ...(manifest && { manifest }) }
    }),
  }
}

const ignore = () => undefined

/** A config that is no file has its paths relative to the working directory. */
function sourceOf(
  config: string | ExperimentConfig,
  overrides: readonly string[],
  store: string | undefined,
): ConfigSource {
  return { config: typeof config === 'string' ? config : 'config.json', overrides, store }
}

async function parsed(source: ConfigSource, config: string | ExperimentConfig) {
  if (typeof config === 'string') return readConfig(source)
  // JSON is YAML.
  const text = JSON.stringify(config)
  return parsedWithPlugins({ file: 'config', text, overrides: source.overrides }, createPluginLoader())
}

async function prepared(
  source: ConfigSource,
  config: string | ExperimentConfig,
  onNote?: (line: string) => void,
): Promise<RunInput> {
  return prepare(source, await parsed(source, config), createInspection(onNote))
}

async function outcomeOf(
  input: RunInput,
  server: CommandServer,
  display: Display<RunProgress>,
): Promise<Outcome<RunResult>> {
  const launched = await launchRun(input, server)
  return launched ? watchRun(launched, input, server, display) : interrupted
}

function resultOf(id: string, outcome: Outcome<RunResult>): RunResult {
  switch (outcome.status) {
    case 'completed': {
      const { result, notes } = outcome
      return { ...result, report: pathOrUrl(result.report), notes: [...result.notes, ...notes] }
    }
    case 'cancelled':
      throw new Error(`${id} was cancelled; the same call continues it`)
    case 'failed':
      throw new Error(`${id} failed: ${outcome.reason}; once that is put right, the same call continues it`)
  }
}
