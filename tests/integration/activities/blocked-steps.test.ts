import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fileDirectory } from '../../support/directories.ts'
import { longRun } from '../../support/durable.ts'
import { forFile } from '../../support/release.ts'
import { temporalServer, type TestTemporal } from '../../support/temporal.ts'
import { attempts } from './attempts.ts'

let server: TestTemporal
let directory: string
beforeAll(async () => {
  server = await forFile(temporalServer())
  directory = fileDirectory()
})

/** Blocks the event loop, as an allocation does that TensorFlow takes 10 s to refuse. */
function block(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * seconds)
}

test.each([
  ['for less than the heartbeat timeout that runs have unless they say otherwise', undefined],
  ['for so long that the server has given the attempt up', 2],
])(
  'a step that blocks and then fails for lack of memory, %s, is done in smaller micro-batches',
  async (_, seconds) => {
    const store = join(directory, `blocked-${seconds}`)
    const { settings, ...input } = await longRun({ name: `blocked-${seconds}`, store, epochs: 1 })
    const { heartbeatSeconds: _short, ...others } = settings
    const given = { ...others, ...(seconds !== undefined && { heartbeatSeconds: seconds }) }
    const microBatches = await attempts(server, { ...input, settings: given }, (count) => {
      if (count > 1) return
      block(12)
      throw new Error('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[4194304,4194304]')
    })
    expect(microBatches).toEqual([1, 2])
  },
)
