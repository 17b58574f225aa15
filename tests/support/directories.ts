import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { afterFile } from './release.ts'

/** Makes an empty directory in a test or in `beforeEach`. It is removed when the test has ended. */
export function testDirectory(): string {
  const directory = emptyDirectory()
  onTestFinished(() => {
    remove(directory)
  })
  return directory
}

/** Makes an empty directory for all tests of a file. It is removed after the last of them. */
export function fileDirectory(): string {
  const directory = emptyDirectory()
  afterFile(() => {
    remove(directory)
  })
  return directory
}

const emptyDirectory = () => mkdtempSync(join(tmpdir(), 'zeroshift-test-'))

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
