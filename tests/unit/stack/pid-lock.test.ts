import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { isAlive } from '../../../host/alive.mjs'
import { takePidLock } from '../../../stack/pid-lock.ts'
import { testDirectory } from '../../support/directories.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = testDirectory()
  path = join(directory, 'temporal.db')
})

test('what another living process holds is refused', () => {
  const other = spawn('sleep', ['60'])
  try {
    writeFileSync(`${path}.pid`, String(other.pid))
    expect(takePidLock(path)).toBeUndefined()
  } finally {
    other.kill()
  }
})

test('what a process left behind is claimed, and so is what was released', () => {
  const gone = spawnSync('true').pid
  expect(isAlive(gone)).toBe(false)
  writeFileSync(`${path}.pid`, String(gone))
  const held = takePidLock(path)
  expect(held).toBeDefined()
  held?.release()
  expect(takePidLock(path)).toBeDefined()
})

test('a note that is not a process counts for nothing', () => {
  writeFileSync(`${path}.pid`, '')
  expect(takePidLock(path)).toBeDefined()
})
