import type { StageRef } from '../../experiment/stages/stage.ts'
import type { Artifacts } from '../artifacts.ts'
import { jsonBytes, parseJson } from '../../common/json.ts'
import { stageFolder } from '../format/layout.ts'

/** An attempt that computes a stage. The attempts of one activity are numbered from 1. */
export interface Holder {
  readonly activity: string
  readonly attempt: number
}

/** Another attempt has taken over the stage or finished it. This attempt stops without a result. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

interface LeaseRecord extends Holder {
  /** A number that the holder increases at regular intervals as long as it is alive. */
  readonly beat: number
}

/** The contents of `lease/parts.json`, which a holder leaves for the next one. */
interface MicroBatchRecord {
  /** The number of micro-batches in each batch. */
  readonly parts: number
}

/**
 * The exclusive right to compute a stage. It is kept in the store, so that it also works between
 * runs, workers and Temporal servers that do not know each other. Leases have numbers,
 * `lease/<n>.json`, and are created by conditional puts. The one with the highest number is valid.
 * A holder that has lost its lease notices that at the next renewal. What it still writes until
 * then cannot replace anything of the new holder.
 *
 * No clocks of different machines are compared. An attempt that waits observes whether the holder
 * still increases its beat.
 */
export class Lease {
  /**
   * The number of micro-batches into which the holder divides each batch. It is 1 unless an earlier
   * holder ran out of memory and recorded another number.
   */
  readonly microBatches: number
  private beat = 0
  private readonly artifacts: Artifacts
  private readonly stage: StageRef
  private readonly holder: Holder
  private readonly number: number

  private constructor(
    artifacts: Artifacts,
    stage: StageRef,
    holder: Holder,
    number: number,
    microBatches: number,
  ) {
    this.artifacts = artifacts
    this.stage = stage
    this.holder = holder
    this.number = number
    this.microBatches = microBatches
  }

  /**
   * Takes the lease of a stage if one of these holds: the stage has no holder; the holder is an
   * earlier attempt of the same activity, which Temporal has given up; or `isDead` returns true for
   * the observed state of the holder. Otherwise returns this state, a text that changes whenever
   * the holder increases its beat. A caller may consider the holder dead if the state stays the
   * same for long enough.
   */
  static async take(
    artifacts: Artifacts,
    stage: StageRef,
    holder: Holder,
    isDead: (observed: string) => boolean,
  ): Promise<Lease | { readonly observed: string }> {
    for (;;) {
      const { newest, record, hasMicroBatches } = await newestLease(artifacts, stage)
      const isOwn = record?.activity === holder.activity && record.attempt <= holder.attempt
      const observed = record && `${newest} ${record.activity} ${record.attempt} ${record.beat}`
      if (observed !== undefined && !isOwn && !isDead(observed)) return { observed }
      const number = newest + 1
      const path = leasePath(stage, number)
      if (await artifacts.store.putIfAbsent(path, jsonBytes({ ...holder, beat: 0 } satisfies LeaseRecord)))
        return new Lease(
          ...([artifacts, stage, holder, number] as const),
          hasMicroBatches ? await readMicroBatches(artifacts, stage) : 1,
        )
    }
  }

  /** Increases the beat. Throws a LeaseLostError if the stage was taken over or finished. */
  async renew(): Promise<void> {
    const { newest, record } = await newestLease(this.artifacts, this.stage)
    // A number can occur again after a stage was finished, its lease was deleted and its result
    // lost.
    const isMine = record?.activity === this.holder.activity && record.attempt === this.holder.attempt
    if (newest !== this.number || !isMine)
      throw new LeaseLostError(
        newest > this.number
          ? 'another attempt has taken this stage over'
          : 'this stage was finished by another attempt',
      )
    const path = leasePath(this.stage, this.number)
    await this.artifacts.store.put(
      path,
      jsonBytes({ ...this.holder, beat: ++this.beat } satisfies LeaseRecord),
    )
  }

  /**
   * Records the number of micro-batches for the next holder, whichever run or worker it belongs to.
   * The record is deleted after the stage has finished. Throws as `renew` does.
   */
  async saveMicroBatches(count: number): Promise<void> {
    await this.renew()
    const record: MicroBatchRecord = { parts: count }
    await this.artifacts.store.put(microBatchPath(this.stage), jsonBytes(record))
  }

  /**
   * Deletes that record, so that the next holder begins with whole batches. Throws as `renew` does.
   */
  async deleteMicroBatches(): Promise<void> {
    await this.renew()
    await this.artifacts.store.delete(microBatchPath(this.stage))
  }

  /** Deletes the lease, so that another attempt can take it without waiting. */
  async release(): Promise<void> {
    await this.artifacts.store.delete(leasePath(this.stage, this.number))
  }
}

async function newestLease(artifacts: Artifacts, stage: StageRef) {
  const folder = leaseFolder(stage)
  const paths = (await artifacts.store.list(folder)).map(({ path }) => path)
  const numbers = paths.flatMap((path) => {
    const [, number] = /\/(\d+)\.json$/.exec(path) ?? []
    return number === undefined ? [] : [Number(number)]
  })
  const newest = Math.max(0, ...numbers)
  const bytes = newest > 0 ? await artifacts.store.get(leasePath(stage, newest)) : undefined
  return {
    newest,
    record: bytes && (parseJson(bytes) as LeaseRecord | undefined),
    hasMicroBatches: paths.includes(microBatchPath(stage)),
  }
}

async function readMicroBatches(artifacts: Artifacts, stage: StageRef): Promise<number> {
  const bytes = await artifacts.store.get(microBatchPath(stage))
  const record = bytes && (parseJson(bytes) as MicroBatchRecord | undefined)
  return record?.parts ?? 1
}

const leaseFolder = (stage: StageRef) => `${stageFolder(stage)}lease/`
const leasePath = (stage: StageRef, number: number) =>
  `${leaseFolder(stage)}${String(number).padStart(6, '0')}.json`
const microBatchPath = (stage: StageRef) => `${leaseFolder(stage)}parts.json`
