import { afterAll, vi } from 'vitest'
import { releaseAll } from './release.ts'

/**
 * Vitest executes this before each file, also where files share a process: what a file changes in
 * the process is undone when its tests have ended.
 */
const environment = { ...process.env }
const directory = process.cwd()

// Vitest runs these hooks in reverse order, so that this one follows those of the file.
afterAll(async () => {
  try {
    await releaseAll()
  } finally {
    vi.unstubAllEnvs()
    for (const name of Object.keys(process.env))
      if (!(name in environment)) Reflect.deleteProperty(process.env, name)
    Object.assign(process.env, environment)
    process.chdir(directory)
  }
})
