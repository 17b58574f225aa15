import type { lookup } from 'node:dns'
import { expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { guardedLookup } from '../../../sources/address.ts'

/** A resolver that gives these addresses for every name. */
const resolver = (...addresses: readonly string[]) =>
  ((_name: string, _options: unknown, done: (error: null, found: unknown) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as typeof lookup

const resolved = (name: string, addresses: readonly string[], all = true) =>
  new Promise((done, failed) => {
    guardedLookup(resolver(...addresses))(name, { all }, (error, found) => {
      if (error) failed(error)
      else done(found)
    })
  })

test('a public address is reached, as it is asked for', async () => {
  expect(await resolved('host.org', ['93.184.216.34'])).toEqual([{ address: '93.184.216.34', family: 4 }])
  expect(await resolved('host.org', ['93.184.216.34'], false)).toBe('93.184.216.34')
})

test.each([
  '169.254.169.254',
  '::ffff:169.254.169.254',
  'fe80::1',
  '64:ff9b::a9fe:a9fe',
  '::ffff:a9fe:a9fe',
  'fd00:ec2::254',
  '100.100.100.200',
  '0.0.0.0',
])('a name that resolves to %s among others is refused', async (address) => {
  await expect(resolved('host.org', ['93.184.216.34', address])).rejects.toThrow(UserError)
  await expect(resolved('host.org', [address])).rejects.toThrow(
    /resolves to .*, a link-local or metadata address/,
  )
})

test('this machine is reached by its own names alone', async () => {
  expect(await resolved('localhost', ['127.0.0.1'])).toEqual([{ address: '127.0.0.1', family: 4 }])
  await expect(resolved('host.org', ['127.0.0.1'])).rejects.toThrow(
    /resolves to 127\.0\.0\.1, this machine itself/,
  )
  await expect(resolved('host.org', ['::1'])).rejects.toThrow(UserError)
})
