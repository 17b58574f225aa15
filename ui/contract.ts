import type { Interval } from '../common/interval.ts'
import type { CkaMatrix, MapSet, Point } from '../experiment/records/feature-maps.ts'
import type { OutcomeAttack, Outcomes } from '../experiment/records/outcomes.ts'
import type { Neighbours, SampleScores, SampleTable } from '../experiment/records/samples.ts'
import type { ResultRow } from '../experiment/records/results.ts'
import type { RunProgress, StageProgress } from '../experiment/records/run.ts'
import type { SweepProgress } from '../experiment/sweep/sweep.ts'
import type { Document } from '../report/blocks.ts'

/**
 * What the server of `zeroshift ui` answers and the page reads. An exported folder holds the same
 * answers as files. Times are ISO 8601, sizes are bytes and durations are seconds.
 */

/** Paths of answers, relative to the page. */
export const paths = {
  session: () => 'api/session',
  runs: () => 'api/runs',
  run: (run: string) => `api/runs/${run}`,
  outcomes: (run: string) => `api/runs/${run}/outcomes`,
  samples: (run: string) => `api/runs/${run}/samples`,
  /** The scores that an attack gives to the samples. */
  scores: (run: string, attack: OutcomeAttack) => `api/runs/${run}/scores/${attack}`,
  /** A picture of a sample, by its number among all samples. */
  image: (run: string, sample: number) => `api/runs/${run}/images/${sample}.png`,
  neighbours: (run: string, sample: number) => `api/runs/${run}/neighbours/${sample}`,
  features: (run: string) => `api/runs/${run}/features`,
  comparison: (runs: readonly string[]) => `api/comparisons/${[...runs].sort().join('+')}`,
  sweeps: () => 'api/sweeps',
  sweep: (sweep: string) => `api/sweeps/${sweep}`,
  sweepReport: (sweep: string) => `api/sweeps/${sweep}/report`,
  store: () => 'api/store',
  /**
   * Server-sent events: `runs` (RunList), `run` (RunProgress), `sweep` (SweepNews) and
   * `temporal` (TemporalState). The first `runs` is the whole list.
   */
  events: ({ run, sweep }: { readonly run?: string; readonly sweep?: string } = {}) => {
    const query = new URLSearchParams({ ...(run && { run }), ...(sweep && { sweep }) }).toString()
    return query === '' ? 'api/events' : `api/events?${query}`
  },
  /** A zip file: these runs as a folder that a browser opens from disk, without images. */
  export: (runs: readonly string[]) => `api/exports/${[...runs].sort().join('+')}.zip`,
  /** POST, with the token of the session in the header `x-zeroshift-token`. */
  control: (run: string, action: ControlAction) => `api/runs/${run}/${action}`,
} as const

/**
 * The path of the script that holds an answer in an exported folder. The page loads it when it asks
 * for the answer. Its text is `answerScript` of the path and the answer. In the index.html of the
 * export, the script of the session replaces the comment `answers`.
 */
export const answerScriptPath = (path: string) => `${path}.js`

/** The text of that script: it works in pages that a browser opens from disk. */
export function answerScript(path: string, answer: unknown): string {
  // JSON.parse, because JavaScript gives the key `__proto__` of an object another meaning.
  const json = JSON.stringify(JSON.stringify(answer))
  return `(globalThis.zeroshiftAnswers ??= {})[${JSON.stringify(path)}] = JSON.parse(${json})\n`
}

/** The answer in place of any other one if the request failed. The status is 4xx or 5xx. */
export interface Failure {
  readonly error: string
  /** What to do. */
  readonly remedy?: string
}

export interface Session {
  readonly version: string
  /** The store as a path or a URL. Absent in an export. */
  readonly store?: string
  /** The address of the Temporal server that is asked for live runs. */
  readonly temporal?: string
  /** Present if the page may change runs (`--control`): the token that every change has to send. */
  readonly token?: string
  /** Whether these are the files of an export, which do not change. */
  readonly exported?: true
}

/** The Temporal server that answers now, of which a page learns when one comes or goes. */
export interface TemporalState {
  readonly address?: string
}

export const runStates = [
  'running',
  'paused',
  'completed',
  'incomplete',
  'interrupted',
  'failed',
  'cancelled',
] as const
/**
 * `incomplete`: the run ended, and some of its stages failed. `interrupted`: the run was not
 * finished when its server stopped.
 */
export type RunState = (typeof runStates)[number]

export interface RunEntry {
  readonly id: string
  /** The name in the config. */
  readonly name: string
  readonly state: RunState
  readonly dataset: string
  readonly model: string
  /** The split in words, such as `class 3 (cat)`. */
  readonly split: string
  readonly methods: readonly string[]
  readonly sweep?: string
  readonly tags: readonly string[]
  readonly note?: string
  /** Absent if neither Temporal nor a report knows it. */
  readonly startedAt?: string
  /** When its record or its report was last written, by the clock of the store. */
  readonly changedAt?: string
  readonly seconds?: number
  readonly stages: StageCounts
  /** The estimated seconds that the run still takes. Present if it is running and known. */
  readonly secondsLeft?: number
  readonly failures: readonly StageFailure[]
  /** Whether the store has a report of the run. */
  readonly hasReport: boolean
}

export interface StageCounts {
  readonly all: number
  readonly done: number
  readonly running: number
  readonly failed: number
}

export interface StageFailure {
  readonly title: string
  readonly reason: string
}

/**
 * Newest first. A cell of a sweep is in the list once it was started. In an event, `partial` means
 * that only runs that are new or have changed are in it, and that the others are as they were.
 */
export interface RunList {
  readonly runs: readonly RunEntry[]
  readonly partial?: true
}

export interface RunView {
  readonly entry: RunEntry
  /** Absent if no Temporal server knows the run. */
  readonly progress?: RunProgress
  /** The report as blocks, of the stages that are finished now. */
  readonly document: Document
  /** The rows of the table of results. */
  readonly rows: readonly ResultRow[]
  /** The spec, with its defaults, as YAML. */
  readonly config: string
  /** The command that computes the run again. */
  readonly command: string
  /** The digest of the report. Absent while stages are missing. */
  readonly digest?: string
  /** The views that this run has data for. */
  readonly views: { readonly samples: boolean; readonly features: boolean }
  /** LaTeX and CSV of the results, as in the files of the report. */
  readonly tables: { readonly latex: string; readonly csv: string }
}

export type { Neighbours, Outcomes, SampleScores, SampleTable }

/** Maps of the features of chosen samples at one layer, of the first seed. */
export type Features = { readonly missing: string; readonly remedy: string } | FeatureMapsView

export interface FeatureMapsView {
  /** The layer in words: `conv2`, or `input of head`. */
  readonly layer: string
  /** The chosen samples, the same for all models. A random part of them comes first in each set. */
  readonly samples: readonly {
    readonly set: MapSet
    /** Its number in the training set, or in the test set for test samples of a test file. */
    readonly number: number
    readonly label: number
  }[]
  readonly classes: readonly string[]
  /** Gold first. */
  readonly models: readonly {
    readonly label: string
    readonly isGold: boolean
    readonly umap: readonly Point[]
    readonly pca: readonly Point[]
  }[]
  /** The models without maps. */
  readonly absent: readonly { readonly label: string; readonly reason: string }[]
  /** CKA of each layer of a model with each layer of gold. */
  readonly cka: readonly ({ readonly label: string } & CkaMatrix)[]
}

export interface ComparisonView {
  readonly runs: readonly string[]
  readonly document: Document
  readonly tables: { readonly latex: string; readonly csv: string }
}

export interface SweepEntry {
  readonly id: string
  readonly name: string
  readonly state: RunState
  readonly cells: number
  readonly done: number
  readonly failed: number
  readonly startedAt?: string
  /** When its record was last written, by the clock of the store. */
  readonly changedAt?: string
}

export interface SweepList {
  readonly sweeps: readonly SweepEntry[]
}

/** What events tell about a sweep. */
export interface SweepNews {
  readonly entry: SweepEntry
  /** Present while the sweep is running. */
  readonly progress?: SweepProgress
}

export interface SweepView extends SweepNews {
  /** The parameters that vary, in the order of the config. */
  readonly parameters: readonly string[]
  /** `cellsOf` of ui/sweep-columns.ts makes cells of them. */
  readonly cells: SweepColumns
  /**
   * The reports that are read until now, of those that there are. Present while some are not read:
   * the answer has no figures of these cells yet, and a further request goes on reading.
   */
  readonly reading?: { readonly read: number; readonly reports: number }
}

/** The comparison of all cells of a sweep. */
export interface SweepReport {
  readonly document: Document
  readonly tables: { readonly latex: string; readonly csv: string }
}

/** Texts, each of them once, with the place of the text of each item. */
export interface IndexedTexts<Text extends string = string> {
  readonly texts: readonly Text[]
  readonly places: readonly number[]
}

/** The cells of a sweep by what is known of them. A figure that is missing is null. */
export interface SweepColumns {
  readonly run: readonly string[]
  readonly state: IndexedTexts<SweepCell['state']>
  readonly values: Readonly<Record<string, IndexedTexts>>
  /** The rows of results of all cells. */
  readonly rows: {
    readonly cell: readonly number[]
    readonly label: IndexedTexts
    readonly gap: readonly (number | null)[]
    readonly low: readonly (number | null)[]
    readonly high: readonly (number | null)[]
    readonly rte: readonly (number | null)[]
  }
  readonly running: readonly { readonly cell: number; readonly stages: readonly StageProgress[] }[]
}

export interface SweepCell {
  readonly run: string
  readonly state: RunState | 'waiting' | 'stopped'
  readonly values: Readonly<Record<string, string>>
  /** The rows of results without those of gold. Empty if there are none yet. */
  readonly rows: readonly {
    readonly label: string
    readonly gap?: number
    readonly interval?: Interval
    readonly rte?: number
  }[]
  readonly running?: readonly StageProgress[]
}

export interface StoreView {
  readonly bytes: number
  /** Runs, sweeps and ledgers. */
  readonly runs: readonly {
    readonly id: string
    readonly kind: 'run' | 'sweep' | 'ledger'
    readonly own: number
    readonly shared: number
  }[]
  readonly kinds: readonly { readonly kind: string; readonly stages: number; readonly bytes: number }[]
  readonly records: number
  /** What no run needs. `zeroshift gc` deletes it. */
  readonly unneeded: number
  /** The result of the last `zeroshift check`. Absent if none is known. */
  readonly check?: {
    readonly finishedAt: string
    readonly faults: number
    readonly stages: number
    readonly blobs: number
  }
}

export const controlActions = ['pause', 'resume', 'cancel', 'retry', 'parallelism', 'delete'] as const
export type ControlAction = (typeof controlActions)[number]

/** The body of a POST. */
export interface ControlRequest {
  /** For `parallelism`, which only sweeps have: the largest number of runs at the same time. */
  readonly atMost?: number
  /** For `delete`: false only returns what would be deleted. */
  readonly confirmed?: boolean
}

export interface ControlAnswer {
  readonly message: string
  /** For `delete`: the bytes that are freed. */
  readonly bytes?: number
}
