import type { StageRef } from '../../experiment/stages/stage.ts'
import type { Artifacts } from '../artifacts.ts'
import { jsonBytes } from '../../common/json.ts'
import { stageFolder } from '../format/layout.ts'

/** Who computes a stage. Attempts of one activity share `activity` and count up. */
export interface Holder {
  readonly activity: string
  readonly attempt: number
}

/** Another attempt has taken the stage over, or finished it: this one stops, and what it has is not needed. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

interface LeaseRecord extends Holder {
  /** Grows while the holder is alive. */
  readonly beat: number
}

/** What a holder tells the next one, in `lease/parts.json`. */
interface PartsRecord {
  readonly parts: number
}

/**
 * The right to compute a stage, kept in the store, so that it holds between runs, workers and Temporal servers that know
 * nothing of each other. Leases are numbered, `lease/<n>.json`, and created by conditional puts: the highest one holds. A
 * holder that is overtaken learns of it at its next renewal; what it may still write until then has names of its own.
 *
 * No clock is compared with another machine's: whoever waits watches whether the beat stays unchanged.
 */
export class Lease {
  /** Into how many parts the holder cuts a batch: what the last one left, and 1 unless memory ran out. */
  readonly parts: number
  private beat = 0
  private readonly artifacts: Artifacts
  private readonly stage: StageRef
  private readonly holder: Holder
  private readonly number: number

  private constructor(artifacts: Artifacts, stage: StageRef, holder: Holder, number: number, parts: number) {
    this.artifacts = artifacts
    this.stage = stage
    this.holder = holder
    this.number = number
    this.parts = parts
  }

  /**
   * Takes the stage where nobody computes it, where the holder is an earlier attempt of the same activity (Temporal has
   * given that one up), or where `isDead` says so of what is seen of it. Elsewhere answers that sight: the holder has
   * shown no life for as long as it stays the same.
   */
  static async take(
    artifacts: Artifacts,
    stage: StageRef,
    holder: Holder,
    isDead: (sight: string) => boolean,
  ): Promise<Lease | { readonly sight: string }> {
    for (;;) {
      const { newest, record, hasParts } = await newestLease(artifacts, stage)
      const isOwn = record?.activity === holder.activity && record.attempt <= holder.attempt
      const sight = record && `${newest} ${record.activity} ${record.attempt} ${record.beat}`
      if (sight !== undefined && !isOwn && !isDead(sight)) return { sight }
      const number = newest + 1
      const path = leasePath(stage, number)
      if (await artifacts.store.putIfAbsent(path, jsonBytes({ ...holder, beat: 0 } satisfies LeaseRecord)))
        return new Lease(artifacts, stage, holder, number, hasParts ? await partsLeft(artifacts, stage) : 1)
    }
  }

  /** Shows life. Throws a LeaseLostError where the stage was taken over or finished. */
  async renew(): Promise<void> {
    const { newest, record } = await newestLease(this.artifacts, this.stage)
    // A number may come again once a stage was finished, cleared and lost.
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
   * Tells the next holder, whichever run or worker it belongs to, into how many parts it cuts a
   * batch. Kept until the stage is finished and cleared. Throws a LeaseLostError where the stage was
   * taken over or finished.
   */
  async leaveParts(parts: number): Promise<void> {
    await this.renew()
    await this.artifacts.store.put(partsPath(this.stage), jsonBytes({ parts } satisfies PartsRecord))
  }

  /** Lets the next holder begin with whole batches. Throws as `leaveParts` does. */
  async forgetParts(): Promise<void> {
    await this.renew()
    await this.artifacts.store.delete(partsPath(this.stage))
  }

  /** Lets the next one go on at once. */
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
    record: bytes && decode<LeaseRecord>(bytes),
    hasParts: paths.includes(partsPath(stage)),
  }
}

async function partsLeft(artifacts: Artifacts, stage: StageRef): Promise<number> {
  const bytes = await artifacts.store.get(partsPath(stage))
  return (bytes && decode<PartsRecord>(bytes)?.parts) ?? 1
}

const leaseFolder = (stage: StageRef) => `${stageFolder(stage)}lease/`
const leasePath = (stage: StageRef, number: number) =>
  `${leaseFolder(stage)}${String(number).padStart(6, '0')}.json`
const partsPath = (stage: StageRef) => `${leaseFolder(stage)}parts.json`

/** A record that cannot be read counts for nothing. */
function decode<T>(bytes: Uint8Array): T | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T
  } catch {
    return undefined
  }
}
