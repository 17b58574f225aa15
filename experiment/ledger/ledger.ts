import type { Claim } from '../records/deletion.ts'
import type { RunSettings } from '../records/run.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import type { LedgerSpec } from './spec.ts'

/** Deletion requests of a ledger, as the store, the workflow and the commands have them. */

/** The record of a ledger. It is written with the first request and does not change. */
export interface LedgerRecord {
  readonly format: 1
  readonly name: string
  /** The digest of `spec`. */
  readonly digest: string
  /** Without the directories of this machine. */
  readonly spec: LedgerSpec
  readonly facts: DatasetFacts
  /** The path of the config, for messages. */
  readonly config: string
  readonly settings: RunSettings
}

/** A training sample. The id is its name, or its number if the data has no names. */
export interface RequestedSample {
  readonly id: string
  readonly index: number
}

/** A request to delete training samples. */
export interface DeletionRequest {
  /** Requests are numbered from 1. */
  readonly number: number
  /** The operator's reference, for example a case number. */
  readonly reference: string
  /** The time of the request, in ISO 8601. */
  readonly received: string
  /** 32 random bytes in hexadecimal, from which the salts of the samples' ids are derived. */
  readonly salt: string
  /** In ascending order of the index. */
  readonly samples: readonly RequestedSample[]
}

/** The input of the workflow of a ledger. The ledger and its requests are in the store. */
export interface LedgerInput {
  readonly name: string
  readonly store: string
  /** Whether the server knows Zeroshift's search attributes. */
  readonly searchable?: boolean
  /** The state of the execution that this one continues. Absent for the first one. */
  readonly state?: { readonly paused: boolean; readonly now: boolean }
}

/** What the signal says that announces a request. */
export interface Requested {
  /** Whether the requests that wait are settled at once. */
  readonly now?: boolean
}

/** A request that has a record. */
export interface SettledRequest {
  readonly number: number
  readonly state: 'fulfilled' | 'refused'
  readonly claim?: Claim
  readonly reason?: string
}

/** The answer of the workflow to a query. */
export interface LedgerProgress {
  readonly name: string
  /** Whether the ledger is paused: no step begins until it is resumed. */
  readonly paused?: boolean
  /** The requests that this execution has settled. */
  readonly settled: readonly SettledRequest[]
  /** The requests that wait until a batch ends. `until` is in ISO 8601. */
  readonly waiting?: { readonly first: number; readonly last: number; readonly until: string }
  /** The step that is being computed. */
  readonly current?: {
    readonly number: number
    /** The last request, if several are settled together. */
    readonly last?: number
    /** The step of the ladder, from 1. */
    readonly step: number
    readonly steps: number
    /** The label of the step. */
    readonly label: string
    readonly run: string
  }
}

export interface LedgerResult {
  readonly name: string
  readonly settled: readonly SettledRequest[]
}

/** The name of the experiment of a step. `step` counts from 1. */
export function stepName(ledger: string, number: number, step: number): string {
  return `${ledger}-${number}-${step}`
}

/** The ledger of which a run may be a step, or undefined if it is a step of none of them. */
export function ledgerOfRun(run: string, ledgers: Iterable<string>): string | undefined {
  const [, name] = /^(.+)-[1-9]\d*-[1-9]\d*-[0-9a-f]{8}$/.exec(run) ?? []
  return [...ledgers].find((ledger) => ledger === name)
}
