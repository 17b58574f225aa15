import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../../artifacts/store/open-store.ts'
import { storeUrl } from '../../../../artifacts/store/store-url.ts'
import type { ObjectStore } from '../../../../artifacts/store/object-store.ts'
import { UserError } from '../../../../common/errors.ts'
import { testDirectory } from '../../../support/directories.ts'
import { bytesOf, storeBehaviour } from '../../../support/store-behaviour.ts'

let directory: string
let store: ObjectStore
beforeEach(() => {
  directory = testDirectory()
  store = openStore(directory)
})

describe('a directory', () => {
  storeBehaviour(() => store, 2_000_000)

  test('what is being written has a name of its own, and nothing of it is left', async () => {
    const bytes = new Uint8Array(1_000_000)
    await Promise.all(Array.from({ length: 5 }, () => store.put('x/replaced', bytes)))
    await Promise.all(Array.from({ length: 5 }, () => store.putIfAbsent('x/once', bytes)))
    expect(readdirSync(join(directory, 'x'))).toEqual(['once', 'replaced'])
  })

  test('what a killed process left is removed after a day, by listing', async () => {
    await store.put('x/kept', bytesOf('kept'))
    const left = (name: string, hours: number) => {
      const file = join(directory, 'x', `.writing-${name}`)
      writeFileSync(file, 'half')
      utimesSync(file, new Date(), new Date(Date.now() - hours * 3600e3))
    }
    left('old', 25)
    left('young', 1)
    expect((await store.list('x/')).map(({ path }) => path)).toEqual(['x/kept'])
    expect(readdirSync(join(directory, 'x'))).toEqual(['.writing-young', 'kept'])
  })

  test('what cannot be written names the file', async () => {
    writeFileSync(join(directory, 'file'), '')
    await expect(store.put('file/below', bytesOf('x'))).rejects.toThrow(
      `cannot write 1 bytes to ${join(directory, 'file/below')}`,
    )
  })

  test('what fails after its bytes were written leaves none of them', async () => {
    mkdirSync(join(directory, 'taken'))
    await expect(store.put('taken', bytesOf('x'))).rejects.toThrow('cannot write 1 bytes')
    expect(readdirSync(directory)).toEqual(['taken'])
    await expect(store.get('taken')).rejects.toThrow(
      `${join(directory, 'taken')}: this is a directory, expected a file`,
    )
  })
})

test('locations are directories, file URLs or buckets', () => {
  expect(storeUrl('here', '/base')).toBe('file:///base/here')
  expect(storeUrl('/there')).toBe('file:///there')
  expect(openStore(pathToFileURL(directory).href).url).toBe(pathToFileURL(directory).href)
  expect(storeUrl('s3://bucket')).toBe('s3://bucket')
  expect(storeUrl('s3://bucket/some/prefix/')).toBe('s3://bucket/some/prefix')
  expect(openStore('s3://bucket/some/prefix/').url).toBe('s3://bucket/some/prefix')
  expect(openStore('s3://bucket/').locate('a/b')).toBe('s3://bucket/a/b')
})

test.each([
  'gopher://bucket',
  'file://elsewhere/store',
  's3://',
  's3://a',
  's3://bucket/../other',
  's3://bucket//twice',
  's3://bucket/prefix?query',
])('%s is refused', (location) => {
  expect(() => storeUrl(location)).toThrow(UserError)
})

test('credentials in a location are refused, and not shown', () => {
  for (const location of ['s3://key:hidden@bucket/prefix', 'gopher://key:hidden@bucket']) {
    expect(() => storeUrl(location)).toThrow(UserError)
    expect(() => storeUrl(location)).toThrow(/^(?!.*hidden)/)
  }
})
