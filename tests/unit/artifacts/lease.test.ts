import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import { Lease, LeaseLostError, type Holder } from '../../../artifacts/lease.ts'

let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zeroshift-lease-'))
  artifacts = openArtifacts(directory)
})
afterEach(() => {
  rmSync(directory, { recursive: true })
})

const stage = { kind: 'train', key: 'k' } as const
const holder = (activity: string, attempt = 1): Holder => ({ activity, attempt })
const take = (who: Holder, staleSeconds = 3600, looks = Infinity) => {
  let left = looks
  return Lease.take(artifacts, stage, who, {
    staleSeconds,
    pause: () => (left-- > 0 ? sleep(5) : Promise.reject(new Error('still held'))),
  })
}

test('of many takers one holds, and the others wait until it lets go', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) => take(holder(`run ${i}`), 3600, 3)),
  )
  const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  expect(held).toHaveLength(1)
  const waiting = take(holder('late'))
  await held[0]?.release()
  await (await waiting)?.renew()
})

test('a later attempt of the same activity takes over at once, and the earlier one learns of it', async () => {
  const first = await take(holder('run', 1))
  await first?.renew()
  const second = await take(holder('run', 2), 3600, 0)
  await expect(first?.renew()).rejects.toThrow(LeaseLostError)
  await second?.renew()
})

test('a holder that shows no life is overtaken, one that does is not', async () => {
  const alive = await take(holder('alive'))
  const beats = setInterval(() => void alive?.renew(), 20)
  await expect(take(holder('waiting'), 0.2, 100)).rejects.toThrow('still held')
  clearInterval(beats)
  await sleep(50)
  const next = await take(holder('waiting'), 0.2)
  await expect(alive?.renew()).rejects.toThrow('taken this stage over')
  await next?.renew()
})

test('once the stage is finished and cleared, an old holder loses, also where the number comes again', async () => {
  const zombie = await take(holder('zombie'))
  await artifacts.clear(stage)
  await expect(zombie?.renew()).rejects.toThrow('finished by another attempt')
  await take(holder('next'))
  await expect(zombie?.renew()).rejects.toThrow(LeaseLostError)
})
