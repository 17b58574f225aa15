import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRequests } from '../../artifacts/stored-ledgers.ts'
import { sample, stream } from '../../learning/random.ts'
import { campaign, figure } from '../support/campaign.ts'
import { Site } from '../support/durable.ts'
import {
  queueOn,
  randomKills,
  recordBytes,
  startLedger,
  storeOf,
  trainSamples,
} from '../support/ledger-faults.ts'

/**
 * A long sequence of requests. tests/e2e/ledger.test.ts has a short one, with all outcomes of a
 * ladder.
 */
const REQUESTS = 20
const config = `name: long
data: { name: digits }
model: { name: mlp, hidden: [8] }
training: { epochs: 2, replay: { checkpoints: 2 } }
gold: { models: 1 }
heartbeatSeconds: 2
ladder: [{ method: finetune, epochs: 1 }, { method: replay }]
accept: { averageGap: { atMost: 0 } }
`

async function fulfilled(seed: number | undefined) {
  const site = await new Site().open()
  try {
    writeFileSync(join(site.directory, 'long.yaml'), config)
    const drawn = sample(await trainSamples(site, 'long'), 2 * REQUESTS, stream(21, 'requests'))
    for (let i = 0; i < REQUESTS; i++)
      await queueOn(site, 'long', drawn.slice(2 * i, 2 * i + 2).join(), `case ${i + 1}`)
    const began = performance.now()
    const kills = seed === undefined ? undefined : await randomKills(site, seed)
    if (!kills) await site.worker()
    const ledger = await startLedger(site, 'long')
    await kills?.disturb(ledger)
    await ledger.result()
    const records = (await readRequests(storeOf(site), 'long')).flatMap(({ record }) => record ?? [])
    return {
      bytes: await recordBytes(storeOf(site)),
      states: records.map(({ state, claim }) => `${state}, ${claim ?? ''}`),
      kills: kills?.kills() ?? 0,
      seconds: (performance.now() - began) / 1000,
    }
  } finally {
    await site.close()
  }
}

test.runIf(campaign)(
  `${REQUESTS} requests in sequence have the same records if workers are killed at random (in npm run test:faults)`,
  async () => {
    const quiet = await fulfilled(undefined)
    const killed = await fulfilled(21)
    figure('ledger', { requests: REQUESTS, kills: killed.kills, seconds: [quiet.seconds, killed.seconds] })
    expect(quiet.states).toEqual(Array.from({ length: REQUESTS }, () => 'fulfilled, replayed'))
    expect(killed.kills).toBeGreaterThan(REQUESTS / 4)
    expect(killed.bytes).toEqual(quiet.bytes)
  },
  3_600_000,
)
