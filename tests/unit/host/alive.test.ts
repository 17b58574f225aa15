import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isAlive, isSameProcess, startOf } from '../../../host/alive.mjs'

test.skipIf(!existsSync('/proc/self/stat'))(
  'a process is known by its start, also where its name holds parentheses and spaces',
  () => {
    const start = startOf(process.pid)
    expect(start).toMatch(/^[0-9a-f-]{36}\/\d+$/)
    expect(startOf(process.pid)).toBe(start)
    const named = spawn('bash', ['-c', 'printf "a) 1 2 (b" > /proc/self/comm; echo; read'])
    return new Promise<void>((done) => {
      named.stdout.once('data', () => {
        expect(startOf(named.pid ?? 0)).toMatch(/^[0-9a-f-]{36}\/\d+$/)
        expect(startOf(named.pid ?? 0)).not.toBe(start)
        expect(Number(startOf(named.pid ?? 0)?.split('/')[1])).toBeGreaterThan(
          Number(start?.split('/')[1]) - 1,
        )
        named.kill()
        done()
      })
    })
  },
)

test('another process of the same number is another process', () => {
  expect(isSameProcess(process.pid, startOf(process.pid))).toBe(true)
  expect(isSameProcess(process.pid, 'another-boot/1')).toBe(false)
  const gone = spawnSync('true').pid
  expect(isAlive(gone)).toBe(false)
  expect(isSameProcess(gone, startOf(gone))).toBe(false)
})
