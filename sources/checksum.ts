import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

/**
 * A checksum. `git-sha1` is git's name of a file: the SHA-1 of a header with the size, and the
 * bytes.
 */
export interface Checksum {
  readonly kind: 'sha256' | 'sha1' | 'git-sha1' | 'crc32'
  /** Lower-case hexadecimal. */
  readonly value: string
}

async function checksumOf(file: string, kind: Checksum['kind']): Promise<string> {
  if (kind === 'crc32') {
    let sum = 0
    for await (const chunk of createReadStream(file)) sum = crc32(chunk as Buffer, sum)
    return sum.toString(16).padStart(8, '0')
  }
  const hash = createHash(kind === 'sha256' ? 'sha256' : 'sha1')
  if (kind === 'git-sha1') hash.update(`blob ${(await stat(file)).size}\0`)
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The flaw of a file with another checksum. Returns undefined if the checksum is right. */
export async function wrongChecksum(file: string, { kind, value }: Checksum): Promise<string | undefined> {
  const found = await checksumOf(file, kind)
  return found === value ? undefined : `has the ${NAMES[kind]} ${found}, expected ${value}`
}

const NAMES: Readonly<Record<Checksum['kind'], string>> = {
  sha256: 'SHA-256',
  sha1: 'SHA-1',
  'git-sha1': 'git SHA-1',
  crc32: 'CRC-32',
}
