import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { namedPorts, portOf } from '../../../../cli/options/ports.ts'
import { freePort } from '../../../../host/free-port.ts'

const option = '--s3-port'

test('two options that name one port are refused, and so is what is no port', () => {
  expect(namedPorts({ '--a': '7000', '--b': undefined, '--c': '7001' })).toEqual(
    new Map([
      ['--a', 7000],
      ['--c', 7001],
    ]),
  )
  expect(() => namedPorts({ '--a': '7000', '--b': undefined, '--c': '7000' })).toThrow(
    '--c: found 7000, which is the port of --a too; expected another one',
  )
  for (const text of ['0', '65536', 'http', '1.5'])
    expect(() => namedPorts({ '--a': '7000', '--b': text })).toThrow(
      `--b: expected a whole number from 1 to 65535, found '${text}'`,
    )
})

test('one that nobody names is near the usual one, free, and not promised to another', async () => {
  const usual = await freePort()
  expect(await portOf(option, usual, new Map())).toBe(usual)
  const other = await portOf(
    option,
    usual,
    new Map([
      ['--port', usual],
      ['--metrics-port', usual + 2],
    ]),
  )
  expect(other).toBeGreaterThan(usual)
  expect(other).not.toBe(usual + 2)
})

test('one that is named and taken is refused, with one that is free', async () => {
  const port = await freePort()
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  try {
    await expect(portOf(option, 1, new Map([[option, port]]))).rejects.toThrow(
      new RegExp(`^--s3-port: port ${port} is in use by another program; give a free one, such as \\d+$`),
    )
  } finally {
    taken.close()
  }
  expect(await portOf(option, 1, new Map([[option, port]]))).toBe(port)
})
