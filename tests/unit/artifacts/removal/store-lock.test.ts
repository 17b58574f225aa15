import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { openStore } from '../../../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../../../artifacts/store/object-store.ts'
import { LockLostError, withStoreLock } from '../../../../artifacts/removal/store-lock.ts'
import { UserError } from '../../../../common/errors.ts'
import { testDirectory } from '../../../support/directories.ts'

const times = { beatMs: 20, deadMs: 500 }
let directory: string
let store: ObjectStore
beforeEach(() => {
  directory = testDirectory()
  store = openStore(directory)
})

const locks = async () => (await store.list('maintenance/')).map(({ path }) => path)

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => undefined as void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

test('of two commands one works; the other says which, and works once that has ended', async () => {
  const [begun, end] = [gate(), gate()]
  const first = withStoreLock(store, { command: 'gc --delete', times }, async (confirm) => {
    begun.open()
    await end.opened
    confirm()
    return 'done'
  })
  await begun.opened
  const second = () => withStoreLock(store, { command: 'rm a', times }, () => Promise.resolve('done too'))
  await expect(second()).rejects.toThrow(UserError)
  await expect(second()).rejects.toThrow(
    new RegExp(`zeroshift gc --delete.*process ${process.pid} on .* is deleting from the store file://`),
  )
  end.open()
  expect(await first).toBe('done')
  expect(await second()).toBe('done too')
  expect(await locks()).toEqual([])
})

test('a command that fails lets go of the store', async () => {
  const failing = withStoreLock(store, { command: 'gc --delete', times }, () =>
    Promise.reject(new Error('no')),
  )
  await expect(failing).rejects.toThrow('no')
  expect(await locks()).toEqual([])
})

test('of many that begin at once, one at a time works', async () => {
  let working = 0
  const answers = await Promise.allSettled(
    Array.from({ length: 8 }, (_, i) =>
      withStoreLock(store, { command: `rm ${i}`, times }, async () => {
        expect(++working).toBe(1)
        await new Promise((resolve) => setTimeout(resolve, 3 * times.beatMs))
        working--
      }),
    ),
  )
  expect(answers.some(({ status }) => status === 'fulfilled')).toBe(true)
  for (const answer of answers)
    if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(UserError)
  expect(await locks()).toEqual([])
})

test('the lock of a process that was killed is taken over, and the waiting is told', async () => {
  const child = spawn(
    process.execPath,
    [
      ...['--import', 'tsx', '--input-type=module', '-e'],
      `const { openStore } = await import('./artifacts/store/open-store.ts')
       const { withStoreLock } = await import('./artifacts/removal/store-lock.ts')
       await withStoreLock(openStore(${JSON.stringify(directory)}), { command: 'gc --delete', times: ${JSON.stringify(times)} }, async () => {
         console.log('held')
         await new Promise((resolve) => setTimeout(resolve, 600000))
       })`,
    ],
    { cwd: fileURLToPath(new URL('../../../..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await locks()).toEqual(['maintenance/000001.json'])
  const waits: string[] = []
  const onWait = (holder: string) => waits.push(holder)
  const worked = await withStoreLock(store, { command: 'gc --delete', times, onWait }, locks)
  expect(worked).toEqual(['maintenance/000002.json'])
  expect(waits).toEqual([expect.stringContaining(`process ${child.pid ?? 0} on `)])
  expect(await locks()).toEqual([])
})

test('a lock that cannot be read is taken over', async () => {
  await store.put('maintenance/000007.json', new TextEncoder().encode('cut short'))
  expect(await withStoreLock(store, { command: 'rm a', times }, locks)).toEqual(['maintenance/000008.json'])
})

test('a holder that was overtaken stops, and leaves the lock to the other', async () => {
  const [begun, overtaken] = [gate(), gate()]
  const first = withStoreLock(store, { command: 'gc --delete', times }, async (confirm) => {
    begun.open()
    await overtaken.opened
    // Its next sign of life tells it.
    for (let lost = false; !lost;)
      try {
        confirm()
        await new Promise((resolve) => setTimeout(resolve, times.beatMs))
      } catch (error) {
        expect(error).toBeInstanceOf(LockLostError)
        lost = true
      }
    confirm()
  })
  await begun.opened
  const next = { id: 'other', command: 'rm a', host: 'elsewhere', pid: 1, beat: 0 }
  await store.putIfAbsent('maintenance/000002.json', new TextEncoder().encode(JSON.stringify(next)))
  overtaken.open()
  await expect(first).rejects.toThrow(LockLostError)
  expect(await locks()).toContain('maintenance/000002.json')
})
