import { tmpdir } from 'node:os'
import { beforeAll, expect, test } from 'vitest'
import { searchAttributes } from '../../../experiment/records/search-attributes.ts'
import { zeroshift } from '../../support/command.ts'
import { forFile } from '../../support/release.ts'
import { temporalServer, type TestTemporal } from '../../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

test('one command has a new server know the search attributes, and does nothing the second time', async () => {
  const query = Object.keys(searchAttributes)
    .map((name) => `${name} = 'x'`)
    .join(' AND ')
  await expect(server.client.workflow.count(query)).rejects.toThrow()
  for (const _ of [1, 2]) {
    const { code, stdout } = await zeroshift(
      tmpdir(),
      ...['setup', 'search-attributes', '--temporal', server.address],
    ).ended
    expect(code).toBe(0)
    expect(stdout).toContain('ZeroshiftDataset, ZeroshiftMethods')
  }
  expect((await server.client.workflow.count(query)).count).toBe(0)
})

test('without a server to set up it says which options name one', async () => {
  const { code, stderr } = await zeroshift(tmpdir(), 'setup', 'search-attributes').ended
  expect(code).toBe(2)
  expect(stderr).toContain('--temporal HOST:PORT')
})

test('setup says that everything is there, and refuses an unknown device', async () => {
  const ready = await zeroshift(tmpdir(), 'setup').ended
  expect(ready, ready.stderr).toMatchObject({ code: 0 })
  expect(ready.stdout).toContain('Everything that a run needs is there.')
  const { code, stderr } = await zeroshift(tmpdir(), 'setup', '--device', 'tpu').ended
  expect(code).toBe(2)
  expect(stderr).toContain("there is no device 'tpu'; expected one of cpu, gpu")
})
