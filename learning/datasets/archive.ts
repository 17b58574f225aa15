import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { EnvHttpProxyAgent, fetch } from 'undici'
import { UserError } from '../../experiment/errors.ts'

/** A gzipped tar file on the web, and what is wanted of it. */
export interface Archive {
  readonly url: string
  readonly bytes: number
  readonly sha256: string
  /** The folder in the archive that holds the members. */
  readonly folder: string
  readonly members: readonly string[]
}

/**
 * Downloads, verifies and unpacks the archive's members into `directory`, which appears whole or not at all.
 * Throws a UserError that says where to put the files by hand, and which setting names that place.
 */
export async function downloadArchive(
  archive: Archive,
  directory: string,
  { setting, notify }: { setting: string; notify: (line: string) => void },
): Promise<void> {
  const parent = dirname(directory)
  await mkdir(parent, { recursive: true })
  const temporary = await mkdtemp(`${directory}-`)
  try {
    const file = join(temporary, 'archive.tar.gz')
    notify(`downloading ${archive.url} (${Math.round(archive.bytes / 1e6)} MB) into ${parent}`)
    await download(archive, file)
    await unpack(archive, file, temporary)
    await rename(join(temporary, archive.folder), directory).catch((error: NodeJS.ErrnoException) => {
      // Another process was quicker: its files are as good.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error
    throw new UserError(
      `${error.message}. Put ${archive.members.join(', ')} into a directory and name it as ${setting} in the config, ` +
        `or into ${directory}`,
    )
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

class ArchiveError extends Error {}

async function download({ url, bytes, sha256 }: Archive, file: string): Promise<void> {
  const agent = new EnvHttpProxyAgent()
  const hash = createHash('sha256')
  let received = 0
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      received += chunk.length
      done(received > bytes ? new ArchiveError(tooLong) : null, chunk)
    },
  })
  const tooLong = `${url} is longer than the ${bytes} bytes expected: it is another file`
  try {
    const response = await fetch(url, { dispatcher: agent })
    if (!response.ok || !response.body)
      throw new ArchiveError(`${url} could not be downloaded: the server answered ${response.status}`)
    await pipeline(Readable.fromWeb(response.body), measure, createWriteStream(file))
  } catch (error) {
    if (error instanceof ArchiveError || isLocal(error)) throw error
    throw new ArchiveError(`${url} could not be downloaded: ${reasonOf(error)}`)
  } finally {
    await agent.destroy()
  }
  if (received < bytes)
    throw new ArchiveError(`${url} broke off: ${received} bytes came, expected ${bytes}; try again`)
  const digest = hash.digest('hex')
  if (digest !== sha256)
    throw new ArchiveError(`what ${url} gave has the SHA-256 ${digest}, expected ${sha256}: it was changed`)
}

/** A full or read-only disk is not the network's fault. */
function isLocal(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EACCES' || code === 'EROFS' || code === 'EDQUOT' || code === 'EIO'
}

/** fetch says "fetch failed" and keeps the reason as the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message
}

async function unpack({ folder, members }: Archive, file: string, into: string): Promise<void> {
  const wanted = members.map((member) => `${folder}/${member}`)
  try {
    await promisify(execFile)('tar', ['-xzf', file, '-C', into, ...wanted])
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    throw new ArchiveError(
      code === 'ENOENT'
        ? 'the archive was downloaded, but the command "tar", which unpacks it, is not installed'
        : `the archive cannot be unpacked: ${stderr?.trim().split('\n')[0] ?? String(error)}`,
    )
  }
}
