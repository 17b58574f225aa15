import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { GuardedRequest } from './security.ts'

/** A file of the page in the answer to a request. */
export interface ServedFile {
  readonly bytes: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

interface PageFile {
  readonly bytes: Uint8Array
  readonly etag: string
  /** The same bytes compressed, by the name of the encoding. */
  readonly encoded: Readonly<Record<string, Uint8Array>>
}

/** The files of the built page by their paths. They are read once, so no path leads elsewhere. */
export type PageFiles = ReadonlyMap<string, PageFile>

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  woff2: 'font/woff2',
}

/** The best encoding first. */
const encodings = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const

/** Reads the files of a built page. Links and files of other types than a page has are left out. */
export async function readPage(folder: string): Promise<PageFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = new Map<string, Uint8Array>()
  for (const entry of entries.filter((one) => one.isFile() && isOfPage(one.name))) {
    const file = join(entry.parentPath, entry.name)
    files.set(relative(folder, file).split(sep).join('/'), await readFile(file))
  }
  const isEncoded = (path: string) =>
    encodings.some(({ ending }) => path.endsWith(ending) && files.has(path.slice(0, -ending.length)))
  return new Map(
    [...files].flatMap(([path, bytes]) => {
      if (isEncoded(path)) return []
      const encoded = encodings.flatMap(({ name, ending }) => {
        const found = files.get(`${path}${ending}`)
        return found ? [[name, found] as const] : []
      })
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
      return [[path, { bytes, etag, encoded: Object.fromEntries(encoded) }] as const]
    }),
  )
}

function isOfPage(name: string): boolean {
  const [, type = ''] = /\.(\w+)(?:\.(?:br|gz))?$/.exec(name) ?? []
  return type in types
}

/** A name such as `app-1a2b3c4d.js`: other contents have another name. */
const hashedName = /[-.][\w-]{8,}\.\w+$/

/** Returns the file for a path, in the best encoding that the browser accepts. */
export function fileFor(
  files: PageFiles,
  path: string,
  { headers }: Pick<GuardedRequest, 'headers'>,
): ServedFile | 'unchanged' | undefined {
  const file = files.get(path)
  if (!file) return undefined
  if (headers['if-none-match'] === file.etag) return 'unchanged'
  const accepted = String(headers['accept-encoding'] ?? '')
    .split(',')
    .map((part) => part.trim().split(';')[0])
  const encoding = encodings.find(({ name }) => accepted.includes(name) && name in file.encoded)?.name
  const ending = path.slice(path.lastIndexOf('.') + 1)
  const isHashed = path.startsWith('assets/') && hashedName.test(path)
  return {
    bytes: (encoding && file.encoded[encoding]) ?? file.bytes,
    headers: {
      'content-type': types[ending] ?? 'application/octet-stream',
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag: file.etag,
      ...(Object.keys(file.encoded).length > 0 && { vary: 'accept-encoding' }),
      ...(encoding && { 'content-encoding': encoding }),
    },
  }
}
