import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'

/** What the files of a tier share. `tier-setup.ts` prepares it. */

/**
 * The URL of a real MLflow server with two processes that answer, which nobody may stop. Each file
 * uses experiments of its own.
 */
export async function sharedMlflow(): Promise<string> {
  const answer = await fetch(inject('mlflowStarter'))
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}

type Outcome<T> = { readonly value: T } | { readonly error: string }

/**
 * Computes a result once for all files of a tier: the first file that asks computes it, and the
 * others wait. The result must survive JSON.
 */
export async function sharedResult<T>(name: string, compute: () => Promise<T>): Promise<T> {
  const file = join(inject('sharedDirectory'), `${name}.json`)
  if (isFirst(`${file}.begun`)) {
    const outcome: Outcome<T> = await compute().then(
      (value) => ({ value }),
      (error: unknown) => ({ error: String(error) }),
    )
    writeFileSync(`${file}.partial`, JSON.stringify(outcome))
    renameSync(`${file}.partial`, file)
  }
  while (!existsSync(file)) await sleep(100)
  const outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome<T>
  if ('error' in outcome) throw new Error(`${name}: ${outcome.error}`)
  return outcome.value
}

function isFirst(mark: string): boolean {
  try {
    writeFileSync(mark, '', { flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}
