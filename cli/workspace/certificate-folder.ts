import { closeSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { openHashed } from '../../artifacts/blobs/open-hashed.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { UserError } from '../../common/errors.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { certificatePaths, type FoundCertificate } from '../../signatures/certificate.ts'
import { MOST_ENVELOPE_BYTES } from '../../signatures/envelope.ts'

/**
 * Whether a path is the folder of a certificate. It is also one if its record or a signature is
 * missing, so that the check names the missing file.
 */
export async function isCertificate(path: string): Promise<boolean> {
  const { record, envelope, signature } = certificatePaths
  const found = await Promise.all(
    [record, envelope, signature].map((name) =>
      stat(join(path, name)).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.includes(true)
}

/** Reads the folder of a certificate. Throws a UserError if one of its files cannot be read. */
export async function readCertificate(folder: string): Promise<FoundCertificate> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name)
      if (!entry.isFile())
        throw new UserError([
          { file, message: 'this is no regular file; a certificate has regular files alone' },
        ])
      return relative(folder, file).split(sep).join('/')
    })
    .sort()
  const digests = await mapConcurrently(
    paths,
    async (path) => [path, await digestOf(join(folder, path))] as const,
  )
  const texts = await mapConcurrently(paths.filter(isText), async (path) => {
    const file = join(folder, path)
    const bytes = await readRegularFile(file, { mostBytes: MOST_ENVELOPE_BYTES }).catch((error: unknown) => {
      throw unreadableFile(file, error)
    })
    return [path, bytes.toString()] as const
  })
  return { digests: Object.fromEntries(digests), texts: Object.fromEntries(texts) }
}

/** Whether the check of a certificate reads the content of a file. */
const isText = (path: string) => /\.(json|jsonl|sig)$/.test(path) && path !== certificatePaths.report

async function digestOf(file: string): Promise<string> {
  const opened = await openHashed(file).catch((error: unknown) => {
    throw unreadableFile(file, error)
  })
  if (!opened) throw new UserError([{ file, message: 'this file was deleted while it was read' }])
  closeSync(opened.descriptor)
  return opened.sha256
}

function unreadableFile(file: string, error: unknown): unknown {
  const reason = whyUnreadable(error)
  return reason === undefined ? error : new UserError([{ file, message: reason }])
}
