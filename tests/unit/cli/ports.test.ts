import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { portOf, refuseSharedPorts } from '../../../cli/ports.ts'
import { freePort } from '../../../worker/server.ts'

const option = '--s3-port'

test('two options that name one port are refused, and so is what is no port', () => {
  const of = (...texts: (string | undefined)[]) =>
    texts.map((text, i) => ({ option: `--${['a', 'b', 'c'][i]}`, text }))
  expect(refuseSharedPorts(of('7000', undefined, '7001'))).toEqual(new Set([7000, 7001]))
  expect(() => refuseSharedPorts(of('7000', undefined, '7000'))).toThrow(
    '--c: found 7000, which is the port of --a too; expected another one',
  )
  for (const text of ['0', '65536', 'http', '1.5'])
    expect(() => refuseSharedPorts(of('7000', text))).toThrow(
      `--b: expected a whole number from 1 to 65535, found '${text}'`,
    )
})

test('one that nobody names is near the usual one, free, and not promised to another', async () => {
  const usual = await freePort()
  expect(await portOf({ option, text: undefined }, usual, new Set())).toBe(usual)
  const other = await portOf({ option, text: undefined }, usual, new Set([usual, usual + 2]))
  expect(other).toBeGreaterThan(usual)
  expect(other).not.toBe(usual + 2)
})

test('one that is named and taken is refused, with one that is free', async () => {
  const port = await freePort()
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  try {
    await expect(portOf({ option, text: String(port) }, 1, new Set())).rejects.toThrow(
      new RegExp(`^--s3-port: port ${port} is in use by another program; give a free one, such as \\d+$`),
    )
  } finally {
    taken.close()
  }
  expect(await portOf({ option, text: String(port) }, 1, new Set())).toBe(port)
})
