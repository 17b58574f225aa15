import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore, storeUrl, type ObjectStore } from '../../../artifacts/store.ts'
import { UserError } from '../../../experiment/errors.ts'

let directory: string
let store: ObjectStore
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zeroshift-store-'))
  store = openStore(directory)
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => value && new TextDecoder().decode(value)

test('objects are put, replaced, listed in order and deleted', async () => {
  expect(await store.get('a/b')).toBeUndefined()
  await store.put('a/b', bytes('one'))
  await store.put('a/a/c', bytes('two'))
  await store.put('a/b', bytes('three'))
  expect(text(await store.get('a/b'))).toBe('three')
  expect(await store.size('a/b')).toBe(5)
  expect(await store.list('a/')).toEqual(['a/a/c', 'a/b'])
  await store.delete('a/b')
  await store.delete('a/b')
  expect(await store.list('a/')).toEqual(['a/a/c'])
  expect(await store.list('nothing/')).toEqual([])
})

test('of many writers of one name exactly one wins, and its bytes stay', async () => {
  const wins = await Promise.all(
    Array.from({ length: 20 }, (_, i) => store.putIfAbsent('once', bytes(`writer ${i}`))),
  )
  expect(wins.filter(Boolean)).toHaveLength(1)
  expect(text(await store.get('once'))).toBe(`writer ${wins.indexOf(true)}`)
  expect(readdirSync(directory)).toEqual(['once'])
})

test('what is being written is neither listed nor read, and nothing of it is left', async () => {
  const large = new Uint8Array(8_000_000).fill(7)
  const writing = store.put('x/large', large)
  const seen: (number | undefined)[] = []
  const watching = (async () => {
    for (let i = 0; i < 50; i++) {
      seen.push((await store.get('x/large'))?.length)
      expect((await store.list('x/')).every((path) => path === 'x/large')).toBe(true)
    }
  })()
  await Promise.all([writing, watching])
  expect(seen.every((length) => length === undefined || length === large.length)).toBe(true)
  expect(readdirSync(join(directory, 'x'))).toEqual(['large'])
})

test('no path leads out of the store', async () => {
  for (const path of ['../outside', 'a/../../outside', '/etc/passwd']) {
    await expect(store.get(path)).rejects.toThrow('leads out of the store')
    await expect(store.put(path, bytes('x'))).rejects.toThrow('leads out of the store')
  }
})

test('what cannot be written names the file', async () => {
  writeFileSync(join(directory, 'file'), '')
  await expect(store.put('file/below', bytes('x'))).rejects.toThrow(
    `cannot write 1 bytes to ${join(directory, 'file/below')}`,
  )
})

test('what fails after its bytes were written leaves none of them', async () => {
  mkdirSync(join(directory, 'taken'))
  await expect(store.put('taken', bytes('x'))).rejects.toThrow('cannot write 1 bytes')
  expect(readdirSync(directory)).toEqual(['taken'])
  await expect(store.get('taken')).rejects.toThrow(`cannot read ${join(directory, 'taken')}: EISDIR`)
})

test('locations are directories or file URLs', () => {
  expect(storeUrl('here', '/base')).toBe('file:///base/here')
  expect(storeUrl('/there')).toBe('file:///there')
  expect(openStore(pathToFileURL(directory).href).url).toBe(pathToFileURL(directory).href)
  for (const location of ['gopher://bucket', 's3://bucket', 'file://elsewhere/store'])
    expect(() => storeUrl(location)).toThrow(UserError)
})
