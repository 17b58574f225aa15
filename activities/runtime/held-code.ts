import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeNameOf, isLocked, versionOf, type CodeName } from '../../experiment/stages/code.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import { codeDigests, codeNames } from './code-digests.ts'
import type { CodeDigest } from './stored-digests.ts'

/**
 * This worker does not have the code that a stage was planned with. The stage is tried again,
 * because another worker may have that code.
 */
export class OtherCodeError extends Error {
  override readonly name = 'OtherCodeError'
}

/**
 * The SHA-256 of each source that this code was compiled from, by its path in the checkout. It is
 * defined in compiled code alone.
 */
declare const COMPILED_SOURCES: CompiledSources
type CompiledSources = Readonly<Record<string, string>>

const compiledSources = typeof COMPILED_SOURCES === 'undefined' ? undefined : COMPILED_SOURCES
const checkout = fileURLToPath(new URL('../..', import.meta.url))
/** The folders with code that bodies may import. */
const folders = [
  ...['activities', 'api', 'artifacts', 'common', 'datasets'],
  ...['experiment', 'learning', 'pretrained', 'programs', 'unlearning'],
]

/**
 * The code of this worker: the content of its files when this object was created. Bodies are loaded
 * from these files later, so that edits in between have to be noticed. Compiled bodies are loaded
 * from the build, so that the files must also be the sources that the build was compiled from.
 */
export class HeldCode {
  private readonly root: string
  private readonly compiled: CompiledSources | undefined
  private readonly started: ReadonlyMap<string, string>
  private readonly loaded = new Set<CodeName>()
  private digests: Promise<ReadonlyMap<CodeName, CodeDigest>> | undefined

  constructor(root: string = checkout, compiled: CompiledSources | undefined = compiledSources) {
    this.root = root
    this.compiled = compiled
    this.started = new Map(filesIn(root).map((path) => [path, stampOf(statSync(path))]))
  }

  /**
   * Throws an OtherCodeError unless the code of a stage's body is the code that the stage was
   * planned with.
   */
  async check(stage: Stage): Promise<void> {
    const name = codeNameOf(stage)
    const digest = await this.digestOf(name)
    const isPlanned = stage.code === undefined ? isLocked(name, digest) : stage.code === digest
    if (isPlanned && stage.version === versionOf(name)) return
    const planned = described(stage.version, stage.code)
    const here = described(versionOf(name), isLocked(name, digest) ? undefined : digest)
    throw new OtherCodeError(
      `'${stage.title}' was planned with the code of ${name} ${planned}, and this worker has ${here}. ` +
        `Start a worker from the checkout that planned the run, or start the run again from the worker's checkout`,
    )
  }

  private async digestOf(name: CodeName): Promise<string> {
    const { digest, files } = (await this.all()).get(name) ?? { digest: '', files: [] }
    if (this.loaded.has(name)) return digest
    await this.refuseEdited(name, files)
    // The body is loaded next, after which edits of its files have no effect on this process.
    this.loaded.add(name)
    return digest
  }

  private all(): Promise<ReadonlyMap<CodeName, CodeDigest>> {
    this.digests ??= codeDigests(codeNames, this.root).catch((error: unknown) => {
      // The next attempt tries again.
      this.digests = undefined
      throw error
    })
    return this.digests
  }

  private async refuseEdited(name: CodeName, files: readonly string[]): Promise<void> {
    for (const file of files) {
      if (await this.isUnchanged(file)) continue
      throw new OtherCodeError(
        `${relative(this.root, file)} was edited after the code of this worker was read, and ${name} needs it: ` +
          'which of the two texts would run is not certain. Start the worker again, and the run if it runs its own worker',
      )
    }
  }

  private async isUnchanged(file: string): Promise<boolean> {
    const now = await stat(file).then(stampOf, () => undefined)
    if (now !== this.started.get(file)) return false
    if (this.compiled === undefined) return true
    const compiled = this.compiled[relative(this.root, file)]
    // Data and the scripts of threads are read from the checkout, and not compiled.
    if (compiled === undefined) return !file.endsWith('.ts')
    return (
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex') === compiled
    )
  }
}

function described(version: number, code: string | undefined): string {
  return `of version ${version}, ${code === undefined ? 'as locked' : `changed, digest ${code.slice(0, 12)}`}`
}

function filesIn(root: string): readonly string[] {
  const all = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }),
  )
  return all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function stampOf({ mtimeMs, size }: { readonly mtimeMs: number; readonly size: number }): string {
  return `${mtimeMs} ${size}`
}
