import { join } from 'node:path'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { createInspection, type Inspection } from '../../cli/launch/inspection.ts'
import { prepareLedger, readLedgerConfig, requestedSamples } from '../../cli/launch/prepare-ledger.ts'
import { queueRequest } from '../../cli/launch/queue-request.ts'
import { sha256 } from '../../common/canonical.ts'
import type { LedgerInput, LedgerProgress, LedgerResult, Requested } from '../../experiment/ledger/ledger.ts'
import { setSizes } from '../../experiment/spec/sets.ts'
import { partition } from '../../learning/data/partition.ts'
import { stream } from '../../learning/random.ts'
import {
  ledgerType,
  ledgerWorkflowId,
  progressQuery,
  requestedSignal,
  workflowId,
} from '../../workflows/names.ts'
import { ended, running, Site, until, type Handle } from './durable.ts'

/** Ledgers on a site whose workers are killed. */

type Ledger = (input: LedgerInput) => Promise<LedgerResult>
export type RunningLedger = Awaited<ReturnType<typeof startLedger>>

export const storeOf = (site: Site): Artifacts => openArtifacts(join(site.directory, 'store'))

/** The numbers of the training samples of a ledger. */
export async function trainSamples(site: Site, name: string): Promise<Int32Array> {
  const { spec, facts } = (await preparedOn(site, name, createInspection())).record
  const trainable = facts.train.reduce((sum, count) => sum + count, 0)
  return partition(setSizes(spec.data, facts), trainable, spec.seed.data).train
}

async function preparedOn(site: Site, name: string, inspect: Inspection) {
  const config = join(site.directory, `${name}.yaml`)
  const source = { config, store: join(site.directory, 'store') }
  return prepareLedger(source, await readLedgerConfig(config), inspect)
}

/** Writes a request into the store, with a salt that depends on its reference alone. */
export async function queueOn(site: Site, name: string, indices: string, reference: string): Promise<void> {
  const inspect = createInspection()
  const prepared = await preparedOn(site, name, inspect)
  await queueRequest(storeOf(site), prepared, {
    reference,
    received: new Date().toISOString(),
    salt: sha256(reference),
    samples: await requestedSamples({ indices }, prepared, inspect),
  })
}

export function startLedger(site: Site, name: string, requested: Requested = {}) {
  return site.client.workflow.signalWithStart<Ledger, [Requested]>(ledgerType, {
    workflowId: ledgerWorkflowId(name, 'test'),
    taskQueue: 'zeroshift',
    signal: requestedSignal,
    signalArgs: [requested],
    args: [{ name, store: storeOf(site).store.url }],
  })
}

/** The bytes of all records, by their paths. */
export async function recordBytes({ store }: Artifacts): Promise<Readonly<Record<string, string>>> {
  const paths = (await store.list('ledgers/')).map(({ path }) => path)
  const records = paths.filter((path) => /\/\d{6}\.json$/.test(path))
  return Object.fromEntries(
    await Promise.all(
      records.map(async (path) => [path, new TextDecoder().decode(await store.get(path))] as const),
    ),
  )
}

/** A ledger of these tests ends within this time, also on a busy machine. */
const MOST_SECONDS = 180

/**
 * Starts a worker on a site, and returns a function that kills it beside a ledger: in the first
 * attempt that it finds under way from a random request and step on, and so on until the end.
 */
export async function randomKills(site: Site, seed: number) {
  const random = stream(seed, 'kills')
  let worker = await site.worker()
  let kills = 0
  const disturb = async (ledger: RunningLedger) => {
    for (let number = 1 + random.integer(2); !(await hasEnded(ledger)); number += 1 + random.integer(2)) {
      const step = 1 + random.integer(2)
      const found = await until(
        'a stage of a step, or the end of the ledger',
        async () => {
          if (await hasEnded(ledger)) return 'end'
          return (await isComputing(site, ledger, { number, step })) && 'stage'
        },
        MOST_SECONDS,
      )
      if (found === 'end') return
      worker.kill('SIGKILL')
      await ended(worker)
      kills++
      worker = await site.worker()
    }
  }
  return { disturb, kills: () => kills }
}

/** Whether the given step or a later one has an activity under way. */
async function isComputing(
  site: Site,
  ledger: RunningLedger,
  from: { readonly number: number; readonly step: number },
): Promise<boolean> {
  const { current } = await ledger.query<LedgerProgress>(progressQuery)
  if (!current || current.number < from.number) return false
  if (current.number === from.number && current.step < from.step) return false
  const run = site.client.workflow.getHandle(workflowId(current.run)) as unknown as Handle
  return (await running(run).catch(() => [])).length > 0
}

async function hasEnded(ledger: RunningLedger): Promise<boolean> {
  return (await ledger.describe()).status.name !== 'RUNNING'
}
