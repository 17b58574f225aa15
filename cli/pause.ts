import { setTimeout as sleep } from 'node:timers/promises'
import type { RunProgress } from '../experiment/run.ts'
import { pauseSignal, progressQuery } from '../workflows/names.ts'
import { counted } from './format.ts'
import { withGoingOn } from './going-on.ts'

/** `zeroshift pause ID`: answers once every stage has kept a checkpoint and stopped. */
export function pause(id: string, { temporal }: { readonly temporal?: string }): Promise<number> {
  return withGoingOn(id, temporal, async (handle) => {
    await handle.signal(pauseSignal)
    for (;;) {
      const { stages } = await handle.query<RunProgress>(progressQuery)
      const count = (state: string) => stages.filter((stage) => stage.state === state).length
      if (count('running') > 0) {
        await sleep(100)
        continue
      }
      console.log(
        `${id} is paused, ${counted(count('waiting'), 'stage')} to go. To go on: ./zeroshift resume ${id}`,
      )
      return 0
    }
  })
}
