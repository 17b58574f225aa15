import type { Artifacts } from '../../artifacts/artifacts.ts'
import { UserError } from '../../common/errors.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Stage } from '../../experiment/stages/stage.ts'

interface Known {
  readonly record: RunRecord
  readonly stages: ReadonlyMap<string, Stage>
}

/** The number of records in the cache. Each takes a few MB. */
const MOST = 4

/**
 * A cache of the records of large runs. Every stage of such a run needs the record, because its
 * task names the stage only by its key.
 */
export class KnownRuns {
  private readonly known = new Map<string, Promise<Known>>()

  /**
   * Returns the record of a run. `anew` reads it from the store again, because settings may have
   * changed.
   */
  async record(artifacts: Artifacts, id: string, { anew = false } = {}): Promise<RunRecord> {
    if (anew) this.known.delete(nameOf(artifacts, id))
    return (await this.get(artifacts, id)).record
  }

  /** Returns a stage of a run by its key. Throws a UserError if the run has no such stage. */
  async stage(artifacts: Artifacts, id: string, key: string): Promise<Stage> {
    const { stages } = await this.get(artifacts, id)
    const stage = stages.get(key)
    if (!stage)
      throw new UserError(
        `the run '${id}' in the store ${artifacts.store.url} has no stage ${key.slice(0, 12)}: its record is that of another plan. ` +
          'Run the same experiment again',
      )
    return stage
  }

  private get(artifacts: Artifacts, id: string): Promise<Known> {
    const name = nameOf(artifacts, id)
    const found = this.known.get(name) ?? read(artifacts, id)
    this.known.delete(name)
    this.known.set(name, found)
    found.catch(() => this.known.delete(name))
    const [oldest] = this.known.keys()
    if (this.known.size > MOST && oldest !== undefined) this.known.delete(oldest)
    return found
  }
}

const nameOf = ({ store }: Artifacts, id: string) => `${store.url} ${id}`

async function read(artifacts: Artifacts, id: string): Promise<Known> {
  const record = await artifacts.run(id)
  if (!record) throw new UserError(`the store ${artifacts.store.url} has no run '${id}' any more`)
  return { record, stages: new Map(stagesOf(record.plan).map((stage) => [stage.key, stage])) }
}
