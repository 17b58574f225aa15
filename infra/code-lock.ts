import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeDigests, codeNames } from '../activities/runtime/code-digests.ts'
import {
  codeLock,
  isLocked,
  type CodeLock,
  type CodeName,
  type LockedCode,
} from '../experiment/stages/code.ts'

/**
 * Updates experiment/stages/code-lock.json after a change of the code that computes stages. See the
 * section "When the code of a stage changes" in docs/development/recipes.md.
 */

const USAGE = `Usage: npm run code:lock -- [--raise | --same] [NAME...]

Without options: adds bodies that are new, drops those that are gone, and lists the decisions that are open.

  --raise   the results change: a new version, under which no earlier result is found
  --same    the results stay: computes the golden stages by the last locked code and by this one, and
            records the new digest if all outputs are the same bytes

NAME is a body as the lock names it, such as train or unlearn:rfa. Without names: every body that changed.
`
const SHOWN = 8
const root = fileURLToPath(new URL('..', import.meta.url))
const LOCK = 'experiment/stages/code-lock.json'
const file = join(root, LOCK)

interface Golden {
  readonly changed: readonly CodeName[]
  readonly stages: Readonly<
    Record<string, { readonly name: CodeName; readonly after?: readonly CodeName[]; readonly digest: string }>
  >
}

const digests = await codeDigests(codeNames)
const digestOf = (name: CodeName): string => digests.get(name)?.digest ?? ''

function write(entries: CodeLock): void {
  const sorted = codeNames.map((name) => [name, entries[name] ?? { version: 1, digest: digestOf(name) }])
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
}

function raised(name: CodeName): LockedCode {
  return { version: (codeLock[name]?.version ?? 0) + 1, digest: digestOf(name) }
}

function same(name: CodeName, proof: string): LockedCode {
  const { version = 1, digest = '', sameAs = [] } = codeLock[name] ?? {}
  return { version, digest: digestOf(name), sameAs: [...sameAs, { digest, proof }] }
}

/**
 * Computes the golden stages by the last commit that wrote the lock and by this checkout. Returns
 * the name of the proof.
 */
function prove(names: readonly CodeName[]): string {
  // A commit that only moved the file contains no decision.
  const commit = git('log', '-1', '--follow', '--diff-filter=AM', '--format=%H', '--', LOCK)
  if (commit === '') fail(`no commit has written ${LOCK}; commit the lock first`)
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-lock-'))
  const earlier = join(directory, 'checkout')
  try {
    git('worktree', 'add', '--detach', earlier, commit)
    installPackages(earlier)
    console.log(`Computing the golden stages by ${commit.slice(0, 12)} and by this checkout. About a minute.`)
    const before = golden(earlier, join(directory, 'before.json'))
    const unlocked = names.filter((name) => before.changed.includes(name))
    if (unlocked.length > 0)
      fail(`${commit} itself has changed code of ${unlocked.join(', ')}: raise the version`)
    const earlierLock = JSON.parse(git('show', `${commit}:${LOCK}`)) as CodeLock
    const isRaised = (name: CodeName) => codeLock[name]?.version !== earlierLock[name]?.version
    const after = golden(root, join(directory, 'after.json'))
    const different = differences(before, after, { names, isRaised })
    if (different.length > 0)
      fail(
        `The results are not those of ${commit.slice(0, 12)}: ${listed(different)}. Raise the version: npm run code:lock -- --raise`,
      )
    return `golden on ${process.platform}-${process.arch} against ${commit.slice(0, 12)}`
  } finally {
    git('worktree', 'remove', '--force', earlier)
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * The golden stages of the earlier checkout that this one computes otherwise, or no longer. Stages
 * that only this checkout has, such as those of a new method, cannot be compared, and neither can
 * those whose inputs come from a body with a raised version.
 */
function differences(
  before: Golden,
  after: Golden,
  {
    names,
    isRaised,
  }: { readonly names: readonly CodeName[]; readonly isRaised: (name: CodeName) => boolean },
): readonly string[] {
  const comparable = Object.entries(before.stages).filter(
    ([title, { name }]) => names.includes(name) && !after.stages[title]?.after?.some(isRaised),
  )
  const covered = new Set(comparable.map(([, { name }]) => name))
  const missing = names.filter((name) => !covered.has(name))
  if (missing.length > 0)
    fail(`no golden stage computes ${missing.join(', ')}; add one to tests/golden/run.ts`)
  return comparable.flatMap(([title, { digest }]) => (after.stages[title]?.digest === digest ? [] : [title]))
}

function listed(titles: readonly string[]): string {
  const more = titles.length - SHOWN
  return [...titles.slice(0, SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

function installPackages(checkout: string): void {
  const [theirs, ours] = [checkout, root].map((place) =>
    readFileSync(join(place, 'package-lock.json'), 'utf8'),
  )
  if (theirs === ours) symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  else
    execFileSync(process.execPath, ['infra/bootstrap.mjs', '--no-temporal'], {
      cwd: checkout,
      stdio: 'inherit',
    })
}

function golden(checkout: string, out: string): Golden {
  const args = ['--import', 'tsx', 'tests/golden/run.ts', out]
  execFileSync(process.execPath, args, { cwd: checkout, stdio: ['ignore', 'inherit', 'inherit'] })
  return JSON.parse(readFileSync(out, 'utf8')) as Golden
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}

function fail(message: string): never {
  throw new Error(message)
}

function run(args: readonly string[]): number {
  const names = args.filter((arg) => !arg.startsWith('--'))
  const [option, ...others] = args.filter((arg) => arg.startsWith('--'))
  const unknown = names.filter((name) => !codeNames.includes(name as CodeName))
  if (others.length > 0 || !['--raise', '--same', undefined].includes(option) || unknown.length > 0) {
    process.stderr.write(unknown.length > 0 ? `No body is called ${unknown.join(', ')}.\n\n${USAGE}` : USAGE)
    return 2
  }
  const open = codeNames.filter((name) => codeLock[name] && !isLocked(name, digestOf(name)))
  // Unchanged code needs no proof. Its version may be raised nevertheless.
  const isCandidate = (name: CodeName) => option === '--raise' || open.includes(name)
  const chosen = names.length > 0 ? (names as CodeName[]).filter(isCandidate) : open
  if (option !== undefined && chosen.length > 0) {
    const proof = option === '--same' ? prove(chosen) : ''
    const decided = chosen.map((name) => [name, proof === '' ? raised(name) : same(name, proof)])
    write({ ...codeLock, ...(Object.fromEntries(decided) as CodeLock) })
    console.log(`${option === '--same' ? 'The same results' : 'A new version'}: ${chosen.join(', ')}`)
    return 0
  }
  write(codeLock)
  if (open.length === 0) return 0
  console.error(`Changed, and not decided: ${open.join(', ')}\n\n${USAGE}`)
  return 1
}

try {
  process.exitCode = run(process.argv.slice(2))
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof Error ? error.message : error)
}
