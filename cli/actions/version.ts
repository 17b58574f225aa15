import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { codeDigests, codeNames } from '../../activities/runtime/code-digests.ts'
import { environmentHere } from '../../activities/runtime/environment.ts'
import { digestOf } from '../../common/canonical.ts'
import { columns, print, printJson } from '../output/print.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * `zeroshift --version`: prints the version, the commit of a checkout, and one digest of all code
 * that computes stages. Two installations with the same digest compute the same results.
 */
export async function version({ json }: { readonly json: boolean }): Promise<number> {
  const { zeroshift, node, platform } = environmentHere(undefined)
  const commit = await commitHere()
  const digests = [...(await codeDigests(codeNames))].map(([name, { digest }]) => [name, digest] as const)
  const code = digestOf(Object.fromEntries(digests))
  if (json) {
    printJson({ version: zeroshift, ...commit, code, node, platform })
    return 0
  }
  const changed = commit?.changed ? ', with changes' : ''
  print(
    columns([
      ['zeroshift', zeroshift],
      ...(commit ? [['commit', `${commit.commit}${changed}`]] : []),
      ['code', code],
      ['node', `${node} (${platform})`],
    ]),
  )
  return 0
}

interface Commit {
  readonly commit: string
  /** Whether tracked files differ from the commit. */
  readonly changed: boolean
}

/** The commit of this checkout. Returns undefined if this is no checkout, or without git. */
async function commitHere(): Promise<Commit | undefined> {
  if (!existsSync(join(root, '.git'))) return undefined
  const git = (...args: readonly string[]) => promisify(execFile)('git', ['-C', root, ...args])
  try {
    const [head, status] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ])
    return { commit: head.stdout.trim(), changed: status.stdout.trim() !== '' }
  } catch {
    return undefined
  }
}
