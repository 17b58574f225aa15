import { isSecretParameter } from '../common/credentials.ts'
import { UserError } from '../common/errors.ts'
import { refuseHost } from './address.ts'

/** A source of files, as a config names it. */
export type Source =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'https'; readonly url: string; readonly sha256?: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }
  | {
      readonly kind: 'hf'
      readonly repo: HubRepo
      readonly revision: string
      /** A folder or a single file of the repository. */
      readonly path?: string
    }

export type RemoteSource = Exclude<Source, { kind: 'directory' }>

export interface HubRepo {
  readonly type: 'model' | 'dataset'
  readonly name: string
}

const FORMS =
  'a directory, https://host/file#sha256=…, s3://bucket/prefix, hf://owner/name@revision or hf://datasets/owner/name@revision'

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i

/** Parses a source. Throws a UserError for any other text. */
export function parseSource(text: string): Source {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    if (text === '' || text.includes('\0')) throw new UserError(`"${text}" is no place; expected ${FORMS}`)
    return { kind: 'directory', path: text }
  }
  switch (scheme) {
    case 'https':
    case 'http':
      return parseUrl(text)
    case 's3':
      return parseS3(text)
    case 'hf':
      return parseHub(text)
    case 'file':
      throw new UserError(`"${text}" is a file:// URL; expected the directory itself, such as /data/images`)
    default:
      throw new UserError(`"${shown(text)}" is of an unknown kind; expected ${FORMS}`)
  }
}

/** The text that `parseSource` reads as this source. */
export function formatSource(source: Source): string {
  switch (source.kind) {
    case 'directory':
      return source.path
    case 'https':
      return source.url + (source.sha256 === undefined ? '' : `#sha256=${source.sha256}`)
    case 's3':
      return `s3://${source.bucket}${source.prefix && `/${source.prefix}`}`
    case 'hf': {
      const { repo, revision, path } = source
      const folder = repo.type === 'dataset' ? 'datasets/' : ''
      return `hf://${folder}${repo.name}@${encodeURIComponent(revision)}${path === undefined ? '' : `/${path}`}`
    }
  }
}

function parseUrl(text: string): Source {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) throw new UserError(`"${shown(text)}" is no URL; expected one such as https://host/images.zip`)
  const { hash } = url
  url.hash = ''
  refuseCredentials(text, url)
  refuseHost(url)
  const name = url.pathname.split('/').at(-1)
  if (!name)
    throw new UserError(`${url.href} names a folder; expected a file, such as https://host/images.zip`)
  if (hash === '') return { kind: 'https', url: url.href }
  const sha256 = /^#sha256=([0-9a-f]{64})$/i.exec(hash)?.[1]?.toLowerCase()
  if (sha256 === undefined)
    throw new UserError(
      `${url.href} ends in "${hash}"; expected #sha256= and 64 hexadecimal digits, or nothing`,
    )
  return { kind: 'https', url: url.href, sha256 }
}

function refuseCredentials(text: string, url: URL): void {
  if (url.username || url.password)
    throw new UserError(
      `"${shown(text)}" holds credentials; expected a URL without, since it is kept in records`,
    )
  const secret = [...url.searchParams.keys()].find(isSecretParameter)
  if (secret !== undefined)
    throw new UserError(
      `${url.origin}${url.pathname} has the parameter "${secret}", which is a credential; expected a URL without, ` +
        'since it is kept in records: download the file and name its directory, or use s3://',
    )
}

/** A text without the part before an @, which may be a password. */
const shown = (text: string) => text.replace(/\/\/[^/]*@/, '//…@')

function parseS3(text: string): Source {
  const [bucket = '', ...folders] = text.slice('s3://'.length).split('/')
  if (bucket.includes('@'))
    throw new UserError(
      `"${shown(text)}" holds credentials; expected none there: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    )
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(bucket))
    throw new UserError(
      `"${text}" names the bucket "${bucket}"; expected s3://bucket/prefix, with 3 to 63 letters, digits, dots and dashes as the bucket's name`,
    )
  if (folders.at(-1) === '') folders.pop()
  return { kind: 's3', bucket, prefix: pathOf(text, folders) }
}

const REVISION_WITH_SLASH = /^refs\/(?:convert|pr)\/[^/]+/

function parseHub(text: string): Source {
  const expected =
    'expected hf://owner/name@revision or hf://datasets/owner/name@revision, perhaps with /folder'
  let rest = text.slice('hf://'.length)
  const folder = /^(models|datasets|spaces)\//.exec(rest)?.[1]
  if (folder === 'spaces') throw new UserError(`"${text}" is a Space, which holds no data; ${expected}`)
  if (folder !== undefined) rest = rest.slice(folder.length + 1)
  const [, owner, name, after = ''] = /^([^/@]*)\/([^/@]*)(.*)$/s.exec(rest) ?? []
  if (!isHubName(owner) || !isHubName(name))
    throw new UserError(`"${text}" names no repository of the Hugging Face hub; ${expected}`)
  let revision = 'main'
  let path = after
  if (after.startsWith('@')) {
    const named = REVISION_WITH_SLASH.exec(after.slice(1))?.[0] ?? after.slice(1).split('/')[0] ?? ''
    revision = decoded(named)
    path = after.slice(1 + named.length)
    if (!/^[\w.+-]+(\/[\w.+-]+)*$/.test(revision) || revision.includes('..'))
      throw new UserError(
        `"${text}" names the revision "${named}"; expected a branch, a tag or a commit, a slash in it as %2F`,
      )
  }
  const folders = path.split('/').slice(1)
  if (folders.at(-1) === '') folders.pop()
  return {
    kind: 'hf',
    repo: { type: folder === 'datasets' ? 'dataset' : 'model', name: `${owner}/${name}` },
    revision,
    ...(folders.length > 0 && { path: pathOf(text, folders) }),
  }
}

/** Whether a name follows the rules of the hub. `--` is a slash in the names of its cache. */
function isHubName(name: string | undefined): name is string {
  return name !== undefined && /^[\w][\w.-]{0,95}$/.test(name) && !/--|\.\./.test(name)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function pathOf(text: string, folders: readonly string[]): string {
  const wrong = folders.find((folder) => !isSafeSegment(folder))
  if (wrong !== undefined)
    throw new UserError(`"${text}" has "${wrong}" in its path; expected names between slashes`)
  return folders.join('/')
}

function isSafeSegment(name: string): boolean {
  return !['', '.', '..'].includes(name) && !/[?#\\\p{Cc}]/u.test(name)
}
