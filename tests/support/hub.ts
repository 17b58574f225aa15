import { createHash } from 'node:crypto'
import { sha256 } from '../../common/canonical.ts'
import { fileServer } from './file-server.ts'

export interface HubFile {
  readonly path: string
  readonly content: Buffer
  /** Kept as a large file: served from another origin, named by SHA-256. */
  readonly isLarge?: boolean
}

export const gitSha1 = (content: Buffer) =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

/**
 * A server with the part of the Hugging Face hub's API that Zeroshift uses, for one repository:
 * revisions, the tree page by page, and files. Large files are redirected to a second server.
 */
export async function hubServer(repo: string, kind: 'models' | 'datasets' = 'models') {
  const storage = await fileServer()
  const api = await fileServer()
  const folder = kind === 'datasets' ? '/datasets' : ''
  const json = (path: string, value: unknown) => {
    api.files.set(path, { content: Buffer.from(JSON.stringify(value)), etag: null })
  }
  const redirects = new Map<string, string>()
  const pages = new Map<string, string>()
  const errors = new Map<string, string>()
  const answering: Parameters<typeof api.failing>[0] = ({ path }) => {
    const bare = path.split('?')[0] ?? ''
    const to = redirects.get(bare)
    if (to !== undefined) return { status: 302, headers: { location: to }, body: Buffer.alloc(0) }
    const error = errors.get(bare)
    if (error !== undefined) return { status: 404, headers: { 'x-error-code': error } }
    const next = pages.get(path)
    return next === undefined
      ? { headers: { 'content-type': 'application/json' } }
      : { headers: { link: `<${api.url}${next}>; rel="next"` } }
  }
  api.failing(answering)
  return {
    url: api.url,
    api,
    storage,
    answering,
    /** Makes the revision name a commit of these files. */
    publish(revision: string, commit: string, files: readonly HubFile[]) {
      for (const named of [revision, commit])
        json(`/api/${kind}/${repo}/revision/${encodeURIComponent(named)}`, {
          _id: '1',
          id: repo,
          sha: commit,
          private: false,
          lastModified: '2026-01-01T00:00:00.000Z',
        })
      const entries = files.map(({ path, content, isLarge = false }) => ({
        type: 'file',
        path,
        size: content.length,
        oid: isLarge ? 'f'.repeat(40) : gitSha1(content),
        ...(isLarge && { lfs: { oid: sha256(content), size: content.length, pointerSize: 130 } }),
      }))
      // Two pages: the second one has a path of its own, since the server tells files by it.
      const tree = `/api/${kind}/${repo}/tree/${commit}`
      json(tree, [
        { type: 'directory', path: 'folder', size: 0, oid: 'e'.repeat(40) },
        ...entries.slice(0, 1),
      ])
      json(`${tree}/more`, entries.slice(1))
      pages.set(`${tree}?recursive=true&expand=false`, `${tree}/more`)
      for (const { path, content, isLarge } of files) {
        const place = `${folder}/${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`
        if (!isLarge) api.files.set(place, { content })
        else {
          redirects.set(place, `${storage.url}/${sha256(content)}?signed=yes`)
          storage.files.set(`/${sha256(content)}`, { content })
        }
      }
    },
    refuse(path: string, code: string) {
      errors.set(path, code)
    },
    async close() {
      await api.close()
      await storage.close()
    },
  }
}
