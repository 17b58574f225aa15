import { crc32 } from 'node:zlib'
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl'
import { FormatError } from './files.ts'
import { MOST_EXPANSION } from './gzip.ts'
import { errorMessage } from '../common/errors.ts'

/** A zip archive in memory, whose members are unpacked on request. */
export interface Archived {
  readonly names: readonly string[]
  /** Unpacks a member and verifies its checksum. Throws a FormatError. */
  read(name: string): Promise<Buffer>
}

/** Opens a zip archive. Throws a FormatError if the bytes are not one. */
export async function openZip(bytes: Buffer): Promise<Archived> {
  const { zip, entries } = await listed(bytes)
  return {
    names: [...entries.keys()],
    async read(name) {
      const entry = entries.get(name)
      if (!entry) throw new FormatError(`has no member "${name}"`)
      const allowed = MOST_EXPANSION * bytes.length + 1024
      if (entry.uncompressedSize > allowed)
        throw new FormatError(
          `says that its member "${name}" unpacks to ${entry.uncompressedSize} bytes, more than ${MOST_EXPANSION} times the archive; ` +
            'save it with numpy.savez, which does not compress, if that is so',
        )
      const content = await unpacked(zip, entry).catch((error: unknown) => {
        throw broken(`member "${name}"`, error)
      })
      if (crc32(content) !== entry.crc32)
        throw new FormatError(`has a member "${name}" whose checksum is another: it was changed`)
      return content
    },
  }
}

async function listed(bytes: Buffer) {
  const entries = new Map<string, Entry>()
  try {
    const zip = await fromBufferPromise(bytes, { lazyEntries: true, autoClose: false })
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw new Error(`two members are called "${entry.fileName}"`)
      entries.set(entry.fileName, entry)
    }
    return { zip, entries }
  } catch (error) {
    throw broken('list of members', error)
  }
}

async function unpacked(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const stream = await zip.openReadStreamPromise(entry)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function broken(what: string, error: unknown): FormatError {
  const reason = errorMessage(error)
  return new FormatError(`is no whole zip archive: its ${what} cannot be read (${reason})`)
}
