import { beforeEach, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { Lease, LeaseLostError, type Holder } from '../../../../artifacts/progress/lease.ts'
import { testDirectory } from '../../../support/directories.ts'

let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = testDirectory()
  artifacts = openArtifacts(directory)
})

const stage = { kind: 'train', key: 'k' } as const
const holder = (activity: string, attempt = 1): Holder => ({ activity, attempt })
const ask = (who: Holder, isDead: (observed: string) => boolean = () => false) =>
  Lease.take(artifacts, stage, who, isDead)
async function take(...asked: Parameters<typeof ask>): Promise<Lease> {
  const answer = await ask(...asked)
  if (!(answer instanceof Lease)) throw new Error(`held already: ${answer.observed}`)
  return answer
}

test('of many takers one holds, and the others see who until it lets go', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(holder(`run ${i}`))))
  const [held, ...more] = answers.filter((answer) => answer instanceof Lease)
  expect(more).toEqual([])
  const states = new Set(answers.flatMap((answer) => ('observed' in answer ? [answer.observed] : [])))
  expect(states.size).toBe(1)
  await held?.release()
  await (await take(holder('late'))).renew()
})

test('a later attempt of the same activity takes over at once, and the earlier one learns of it', async () => {
  const first = await take(holder('run', 1))
  await first.renew()
  const second = await take(holder('run', 2))
  await expect(first.renew()).rejects.toThrow(LeaseLostError)
  await second.renew()
})

test('what is seen of a holder changes with every sign of life; one that is taken for dead is overtaken', async () => {
  const alive = await take(holder('alive'))
  const seen = async () => {
    const answer = await ask(holder('waiting'))
    return 'observed' in answer ? answer.observed : undefined
  }
  const before = await seen()
  expect(await seen()).toBe(before)
  await alive.renew()
  const after = await seen()
  expect(after).not.toBe(before)
  await expect(take(holder('waiting'), (observed) => observed === before)).rejects.toThrow('held already')
  const next = await take(holder('waiting'), (observed) => observed === after)
  await expect(alive.renew()).rejects.toThrow('taken this stage over')
  await next.renew()
})

test('once the stage is finished and cleared, an old holder loses, also where the number comes again', async () => {
  const zombie = await take(holder('zombie'))
  await artifacts.clear(stage)
  await expect(zombie.renew()).rejects.toThrow('finished by another attempt')
  await take(holder('next'))
  await expect(zombie.renew()).rejects.toThrow(LeaseLostError)
})

test('a holder tells the next one into how many parts it cuts a batch, until the stage is cleared', async () => {
  const first = await take(holder('run', 1))
  expect(first.microBatches).toBe(1)
  await first.saveMicroBatches(2)
  const second = await take(holder('run', 2))
  expect(second.microBatches).toBe(2)
  await expect(first.saveMicroBatches(8)).rejects.toThrow(LeaseLostError)
  await second.saveMicroBatches(4)
  const other = await take(holder('another run'), () => true)
  expect(other.microBatches).toBe(4)
  await other.deleteMicroBatches()
  expect((await take(holder('another run', 2))).microBatches).toBe(1)
  await artifacts.store.put('stages/train/k/lease/parts.json', new TextEncoder().encode('damaged'))
  expect((await take(holder('another run', 3))).microBatches).toBe(1)
  await artifacts.clear(stage)
  expect(await artifacts.store.list('stages/')).toEqual([])
})
