import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { traffic } from '../../artifacts/store/events.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'

export const bytesOf = (text: string) => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)

/**
 * Tests the behaviour that all kinds of stores share. `open` returns an empty store for each test;
 * an object of `largeBytes` is written in several parts.
 */
export function storeBehaviour(open: () => ObjectStore | Promise<ObjectStore>, largeBytes: number): void {
  let store: ObjectStore
  beforeEach(async () => {
    store = await open()
  })
  const paths = async (prefix: string) => (await store.list(prefix)).map(({ path }) => path)

  test('objects are put, replaced, listed in order and deleted', async () => {
    expect(await store.get('a/b')).toBeUndefined()
    expect(await store.size('a/b')).toBeUndefined()
    await store.put('a/b', bytesOf('one'))
    await store.put('a/a/c', bytesOf('two'))
    await store.put('a/b', bytesOf('three'))
    await store.put('ab', bytesOf('not below a/'))
    expect(textOf(await store.get('a/b'))).toBe('three')
    expect(await store.size('a/b')).toBe(5)
    expect(await paths('a/')).toEqual(['a/a/c', 'a/b'])
    await store.delete('a/b')
    await store.delete('a/b')
    expect(await store.get('a/b')).toBeUndefined()
    expect(await paths('a/')).toEqual(['a/a/c'])
    expect(await store.list('nothing/')).toEqual([])
  })

  test('a list tells sizes and when objects were written', async () => {
    const before = Date.now()
    await store.put('a/b', bytesOf('three'))
    const [object] = await store.list('a/')
    expect(object?.bytes).toBe(5)
    // A server's clock may be a little off, and some count whole seconds.
    expect(Math.abs((object?.modified ?? 0) - before)).toBeLessThan(60_000)
  })

  test('any bytes come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
        await store.put('any', bytes)
        expect(Buffer.from((await store.get('any')) ?? []).equals(bytes)).toBe(true)
        expect(await store.size('any')).toBe(bytes.length)
      }),
      { numRuns: 20, examples: [[new Uint8Array()]] },
    )
  })

  test('bytes that come and go are told of, those of large objects whole', async () => {
    const told = { read: 0, written: 0 }
    traffic.subscribe(({ direction, bytes }) => {
      told[direction] += bytes
    })
    const large = pattern(largeBytes + 1, 1)
    await store.put('large', large)
    expect(told).toEqual({ read: 0, written: large.length })
    await store.get('large')
    await store.get('none')
    expect(told).toEqual({ read: large.length, written: large.length })
  })

  test('large objects come back as they were', async () => {
    for (const length of [largeBytes - 1, largeBytes, largeBytes + 1, 3 * largeBytes + 5]) {
      const large = pattern(length, length)
      await store.put('large', large)
      expect(await store.size('large')).toBe(length)
      expect(large.equals((await store.get('large')) ?? new Uint8Array())).toBe(true)
    }
  })

  test.each(['small', 'large'])('of twenty writers of one %s object exactly one wins', async (size) => {
    const bytes = Array.from({ length: 20 }, (_, i) => pattern(size === 'small' ? 100 : largeBytes + 1, i))
    const wins = await Promise.all(bytes.map((some) => store.putIfAbsent('once', some)))
    expect(wins.filter(Boolean)).toHaveLength(1)
    expect(bytes[wins.indexOf(true)]?.equals((await store.get('once')) ?? new Uint8Array())).toBe(true)
    expect(await store.putIfAbsent('once', bytesOf('late'))).toBe(false)
    expect(await paths('')).toEqual(['once'])
    await store.delete('once')
    expect(await store.putIfAbsent('once', bytesOf('again'))).toBe(true)
  })

  test('what is being written is neither listed nor read', async () => {
    const versions = [1, 2, 3, 4].map((fill) => Buffer.alloc(largeBytes + fill, fill))
    let done = false
    const writing = (async () => {
      for (const version of versions) await store.put('x/large', version)
      done = true
    })()
    const seen = new Set<number | undefined>()
    while (!done) {
      const read = await store.get('x/large')
      const fill = read?.[0]
      if (read)
        expect(read.length === largeBytes + (fill ?? 0) && read.every((byte) => byte === fill)).toBe(true)
      seen.add(fill)
      expect([[], ['x/large']]).toContainEqual(await paths('x/'))
    }
    await writing
    expect(seen.size).toBeGreaterThan(1)
    expect((await store.get('x/large'))?.[0]).toBe(4)
  })

  test('more than a thousand objects are listed', async () => {
    const names = Array.from({ length: 1003 }, (_, i) => `many/${String(i).padStart(4, '0')}`)
    for (let i = 0; i < names.length; i += 50)
      await Promise.all(names.slice(i, i + 50).map((name) => store.put(name, bytesOf(name))))
    expect(await paths('many/')).toEqual(names)
  })

  test('no path leads out of the store', async () => {
    for (const path of ['../outside', 'a/../../outside', '/etc/passwd']) {
      await expect(store.get(path)).rejects.toThrow('leads out of the store')
      await expect(store.put(path, bytesOf('x'))).rejects.toThrow('leads out of the store')
      await expect(store.delete(path)).rejects.toThrow('leads out of the store')
    }
  })
}

/** Bytes that differ everywhere, other ones for another seed. */
export function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let state = seed + 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}
