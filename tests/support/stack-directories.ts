import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for the directories of stacks that live as long as a process of the tier. */
    readonly stackDirectories: string
  }
}

/** Makes that folder before the tier, and removes it after the last process has ended. */
export default function stackDirectories({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'zeroshift-stacks-'))
  provide('stackDirectories', folder)
  return () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
}
