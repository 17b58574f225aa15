import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connect } from '../../../cli/server/temporal.ts'
import { temporalServer, thereAt } from '../../support/temporal.ts'

test('a call whose server is gone is not tried again once the connection is closed', async () => {
  const server = await temporalServer()
  const { client, close } = await connect(thereAt({ address: server.address }))
  await server.stop()
  let isSettled = false
  const call = client.workflow
    .getHandle('nobody')
    .describe()
    .finally(() => (isSettled = true))
  call.catch(() => undefined)
  // Its first attempt has failed, and a timer for the next one is set.
  await sleep(50)
  expect(isSettled).toBe(false)
  await close()
  // An attempt after that would be an uncaught error, which fails the run of tests.
  await sleep(1500)
})
