import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { datasetInfo, getHFHubCachePath, getRepoFolderName, listFiles, modelInfo } from '@huggingface/hub'
import { mapConcurrently } from '../common/concurrency.ts'
import { digestOf } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { isSafeName } from '../common/safe-name.ts'
import { exclusively } from '../host/lock.mjs'
import { wrongChecksum, type Checksum } from './checksum.ts'
import { writingTo } from './disk.ts'
import { downloadAll } from './download.ts'
import { cachePath, readRecord, writeRecord } from './host-cache.ts'
import { isAway, openHub, type Hub } from './hub-client.ts'
import { formatSource, type Source } from './source.ts'
import { type Located, refuseNoFiles, refuseTooMuch, type Wanted } from './wanted.ts'

type HubSource = Extract<Source, { kind: 'hf' }>
type Notify = (line: string) => void

interface HubFile {
  /** In the repository. */
  readonly path: string
  readonly bytes: number
  readonly checksum: Checksum
}

/** The files of a commit as the hub lists them, and the paths of those that were verified here. */
interface CommitRecord {
  readonly files: readonly HubFile[]
  readonly verified: readonly string[]
}

/** A commit in the hub's cache. */
interface Snapshot {
  readonly source: HubSource
  readonly hub: Hub
  /** The folder of the repository in the cache, with `blobs`, `refs`, and `snapshots` of links. */
  readonly storage: string
  readonly commit: string
  readonly directory: string
  readonly record: string
}

const COMMIT = /^[0-9a-f]{40}$/

/**
 * Downloads a repository of the Hugging Face hub into the hub's own cache, which it shares with the
 * hub's Python library. A branch or a tag is resolved to its current commit. For a commit that is
 * in the cache, no request is made.
 */
export async function fromHub(source: HubSource, wanted: Wanted, notify: Notify): Promise<Located> {
  const hub = await openHub(source)
  const storage = join(getHFHubCachePath(), getRepoFolderName(source.repo))
  const commit = await commitOf(source, hub, storage, notify)
  const snapshot: Snapshot = {
    ...{ source, hub, storage, commit },
    directory: join(storage, 'snapshots', commit),
    record: cachePath('hub', `${digestOf({ storage, endpoint: hub.endpoint, commit })}.json`),
  }
  const known = asRecord(await readRecord(snapshot.record)) ?? (await listed(snapshot))
  if (!known) return { directory: await withoutListing(snapshot, wanted, notify), revision: commit }
  const { files, folder } = chosen(source, wanted, known.files)
  if (!(await areHere(snapshot, files, known))) await complete(snapshot, files, known, wanted, notify)
  return { directory: join(snapshot.directory, folder), revision: commit }
}

/** The commit of a revision now, or, if the hub cannot be reached, the one that it had last. */
async function commitOf(source: HubSource, hub: Hub, storage: string, notify: Notify): Promise<string> {
  const { repo, revision } = source
  if (COMMIT.test(revision)) return revision
  const ref = join(storage, 'refs', revision)
  try {
    if (hub.isOffline) throw offline(source)
    const question = { name: repo.name, revision, hubUrl: hub.endpoint, fetch: hub.fetch }
    const { sha } =
      repo.type === 'dataset'
        ? await datasetInfo({ ...question, additionalFields: ['sha'] })
        : await modelInfo({ ...question, additionalFields: ['sha'] })
    if (!COMMIT.test(sha))
      throw new Error(`${hub.endpoint} names the commit "${sha}" of ${formatSource(source)}`)
    await rememberRef(ref, sha)
    return sha
  } catch (error) {
    if (!isAway(error) && !hub.isOffline) throw error
    const last = (await readFile(ref, 'utf8').catch(() => '')).trim()
    if (!COMMIT.test(last)) throw hub.isOffline ? error : away(source, error)
    if (!hub.isOffline)
      notify(
        `${(error as Error).message}; ${formatSource(source)} is used as it was when last seen (${last})`,
      )
    return last
  }
}

/** Records the commit of a revision for all users of the cache, unless the cache is read-only. */
async function rememberRef(ref: string, commit: string): Promise<void> {
  const aside = `${ref}.${randomUUID()}`
  try {
    await mkdir(dirname(ref), { recursive: true })
    await writeFile(aside, commit)
    await rename(aside, ref)
  } catch {
    await rm(aside, { force: true }).catch(() => undefined)
  }
}

function offline(source: HubSource): UserError {
  return new UserError(
    `${formatSource(source)} is not in the cache ${getHFHubCachePath()}, and HF_HUB_OFFLINE is set; ${ELSEWHERE}, or unset HF_HUB_OFFLINE`,
  )
}

function away(source: HubSource, error: unknown): Error {
  return new Error(
    `${formatSource(source)} is not in the cache ${getHFHubCachePath()}, and ${(error as Error).message}; try again, or ${ELSEWHERE}`,
  )
}

const ELSEWHERE =
  'download it on a machine that reaches the hub, and name the directory, or copy the cache of that machine'

/** The listing of a commit by the hub. Returns undefined if the hub cannot be reached. */
async function listed({ source, hub, commit }: Snapshot): Promise<CommitRecord | undefined> {
  if (hub.isOffline) return undefined
  const files: HubFile[] = []
  try {
    const entries = listFiles({
      ...{ repo: source.repo, revision: commit, recursive: true },
      ...{ hubUrl: hub.endpoint, fetch: hub.fetch },
    })
    for await (const { type, path, size, oid, lfs } of entries) {
      if (type !== 'file') continue
      if (!isSafeName(path))
        throw new UserError(
          `${formatSource(source)} holds "${path}", which is no name of a file here; expected none such`,
        )
      const checksum = lfs
        ? ({ kind: 'sha256', value: lfs.oid } as const)
        : ({ kind: 'git-sha1', value: oid ?? '' } as const)
      // The checksum becomes the name of a file.
      if (!/^[0-9a-f]{40,64}$/.test(checksum.value))
        throw new Error(`${hub.endpoint} gives no checksum of ${path} in ${formatSource(source)}`)
      files.push({ path, bytes: lfs?.size ?? size, checksum })
    }
  } catch (error) {
    if (isAway(error)) return undefined
    throw error
  }
  return { files, verified: [] }
}

function asRecord(value: unknown): CommitRecord | undefined {
  const isRecord = typeof value === 'object' && value !== null && 'files' in value && 'verified' in value
  return isRecord ? (value as CommitRecord) : undefined
}

/** Uses the files in the cache if the hub cannot be reached and the commit was never listed. */
async function withoutListing(
  { source, hub, directory }: Snapshot,
  wanted: Wanted,
  notify: Notify,
): Promise<string> {
  const present = await readdir(directory, { recursive: true }).catch(() => [])
  const some = present.map((path) => ({ path: path.replaceAll('\\', '/') }))
  const missing = () =>
    hub.isOffline ? offline(source) : away(source, new Error(`${hub.endpoint} does not answer`))
  if (some.length === 0) throw missing()
  const { folder, files } = chosen(source, wanted, some)
  notify(
    `${formatSource(source)} is used as it is in the cache: ${files.length} files, which could not be compared with the hub's`,
  )
  return join(directory, folder)
}

/** The wanted files, and the folder of the repository that their names are relative to. */
function chosen<F extends { readonly path: string }>(
  source: HubSource,
  wanted: Wanted,
  all: readonly F[],
): { readonly files: readonly F[]; readonly folder: string } {
  const { path = '' } = source
  const isFile =
    all.some((file) => file.path === path) && !all.some((file) => file.path.startsWith(`${path}/`))
  const folder = isFile ? path.slice(0, Math.max(0, path.lastIndexOf('/'))) : path
  const nameOf = (file: F) => (folder === '' ? file.path : file.path.slice(folder.length + 1))
  const below = all.filter((file) =>
    isFile ? file.path === path : path === '' || file.path.startsWith(`${path}/`),
  )
  const files = below.filter((file) => wanted.files(nameOf(file)))
  refuseNoFiles(formatSource(source), files, below.map(nameOf))
  return { files, folder }
}

/**
 * Whether all files are in the cache, by the record of verified files and by their sizes. Hashing
 * them each time would take longer than reading them.
 */
async function areHere(
  { directory }: Snapshot,
  files: readonly HubFile[],
  known: CommitRecord,
): Promise<boolean> {
  const verified = new Set(known.verified)
  const here = await mapConcurrently(files, async ({ path, bytes }) => {
    const found = verified.has(path) ? await stat(join(directory, path)).catch(() => undefined) : undefined
    return found?.size === bytes
  })
  return here.every(Boolean)
}

async function complete(
  snapshot: Snapshot,
  files: readonly HubFile[],
  known: CommitRecord,
  wanted: Wanted,
  notify: Notify,
): Promise<void> {
  const { source, storage, record } = snapshot
  refuseTooMuch(
    formatSource(source),
    files.reduce((sum, { bytes }) => sum + bytes, 0),
    wanted,
  )
  await writeRecord(record, asRecord(await readRecord(record)) ?? known)
  await writingTo(storage, 'HF_HOME', () =>
    exclusively(record, async () => {
      const before = asRecord(await readRecord(record)) ?? known
      if (await areHere(snapshot, files, before)) return
      const absent = (
        await mapConcurrently(files, async (file) => ((await isRight(snapshot, file)) ? [] : [file]))
      ).flat()
      if (absent.length > 0) {
        if (snapshot.hub.isOffline) throw offline(source)
        const bytes = absent.reduce((sum, file) => sum + file.bytes, 0)
        notify(
          `downloading ${formatSource(source)} (${absent.length} files, ${Math.ceil(bytes / 1e6)} MB) into ${storage}`,
        )
      }
      await fetchBlobs(snapshot, absent)
      for (const file of absent) await link(snapshot, file)
      const verified = [...new Set([...before.verified, ...files.map(({ path }) => path)])]
      await writeRecord(record, { ...before, verified })
    }),
  )
}

/** Whether a file in the cache has the right checksum. A file with another one is deleted. */
async function isRight({ directory }: Snapshot, { path, bytes, checksum }: HubFile): Promise<boolean> {
  const pointer = join(directory, path)
  const found = await stat(pointer).catch(() => undefined)
  if (!found?.isFile()) return false
  if (found.size === bytes && (await wrongChecksum(pointer, checksum)) === undefined) return true
  await rm(await realpath(pointer))
  return false
}

/** Downloads the blobs of these files. Files with equal bytes share one blob. */
async function fetchBlobs(snapshot: Snapshot, files: readonly HubFile[]): Promise<void> {
  const { source, hub, commit } = snapshot
  const blobs = [...new Map(files.map((file) => [blobOf(snapshot, file), file]))]
  await mapConcurrently(blobs, async ([blob, { bytes, checksum }]) => {
    const present = await stat(blob).catch(() => undefined)
    if (present?.size !== bytes || (await wrongChecksum(blob, checksum)) !== undefined)
      await rm(blob, { force: true })
  })
  await downloadAll(
    blobs.map(([blob, { path, bytes, checksum }]) => ({
      file: {
        name: `${formatSource(source)}: ${path}`,
        identity: checksum.value,
        bytes,
        open: (from, etag) => hub.open(commit, path, from, etag),
        verify: (arrived) => wrongChecksum(arrived, checksum),
      },
      to: blob,
    })),
  )
}

const blobOf = ({ storage }: Snapshot, { checksum }: HubFile) => join(storage, 'blobs', checksum.value)

async function link(snapshot: Snapshot, file: HubFile): Promise<void> {
  const pointer = join(snapshot.directory, file.path)
  const aside = `${pointer}.${randomUUID()}`
  await mkdir(dirname(pointer), { recursive: true })
  await symlink(relative(dirname(pointer), blobOf(snapshot, file)), aside)
  await rename(aside, pointer)
}
