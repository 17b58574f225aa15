import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { storeUrl } from '../../artifacts/store/store-url.ts'
import { withoutCredentials } from '../../common/credentials.ts'
import { UserError } from '../../common/errors.ts'
import type { RunSettings } from '../../experiment/records/run.ts'
import { parseSource } from '../../sources/source.ts'

/**
 * The places that tasks of a worker may use, each including everything below it. Everyone who may
 * start workflows can make a worker read and write all that its credentials allow, unless the
 * worker has such a list.
 */
export interface AllowedPrefixes {
  /** Places for results to be read and written. Data and models may be read there, too. */
  readonly stores?: readonly string[] | undefined
  /** Places for data and models to be read: directories, s3://…, https://… and hf://…. */
  readonly sources?: readonly string[] | undefined
  /** MLflow servers. The worker sends them its credentials. */
  readonly tracking?: readonly string[] | undefined
}

/** The places that a task names. */
export interface NamedPlaces extends Pick<RunSettings, 'dataDirectory' | 'modelDirectory' | 'places'> {
  readonly store?: string | undefined
  readonly tracking?: { readonly uri: string } | undefined
}

/** Throws a UserError if a task names a place that is not allowed. */
export type RefuseElsewhere = (named: NamedPlaces) => void

const OPTIONS = { stores: '--allow-store', sources: '--allow-source', tracking: '--allow-tracking' } as const
type Kind = keyof typeof OPTIONS

const VARIABLES: Readonly<Record<Kind, string>> = {
  stores: 'ZEROSHIFT_ALLOWED_STORES',
  sources: 'ZEROSHIFT_ALLOWED_SOURCES',
  tracking: 'ZEROSHIFT_ALLOWED_TRACKING',
}

/**
 * Completes the given prefixes by those in ZEROSHIFT_ALLOWED_STORES, _SOURCES and _TRACKING, which
 * are separated by commas.
 */
export function allowedPrefixes(
  given: AllowedPrefixes = {},
  env: NodeJS.ProcessEnv = process.env,
): AllowedPrefixes {
  const listed = (kind: Kind) =>
    given[kind] ??
    env[VARIABLES[kind]]
      ?.split(',')
      .map((text) => text.trim())
      .filter(Boolean)
  return { stores: listed('stores'), sources: listed('sources'), tracking: listed('tracking') }
}

/**
 * Returns the check of a task's places. Without any list, every place is allowed. With at least one
 * list, the places of a missing list are all refused. Prefixes are compared name by name, so that
 * s3://b/a does not allow s3://b/ab. Directories are compared after their symbolic links are
 * resolved. Links inside of an allowed directory are not checked: everyone who can write there is
 * trusted.
 *
 * Throws a UserError if a prefix is not valid.
 */
export function refuseElsewhere(prefixes: AllowedPrefixes): RefuseElsewhere {
  const { stores, sources, tracking } = prefixes
  if (!stores && !sources && !tracking) return () => undefined
  if (!stores?.length)
    throw new UserError(
      'places for data or tracking are allowed, and none for results; name the allowed stores, too, by --allow-store or ' +
        'ZEROSHIFT_ALLOWED_STORES',
    )
  const allowed = {
    stores: stores.map((text) => prefixed('stores', text, storeParts)),
    sources: [...stores, ...(sources ?? [])].map((text) => prefixed('sources', text, prefixParts)),
    tracking: (tracking ?? []).map((text) => prefixed('tracking', text, urlParts)),
  }
  const refuse = (kind: Kind, what: string, text: string | undefined, partsOf: (text: string) => Parts) => {
    if (text === undefined || isBelow(partsOf(text), allowed[kind])) return
    throw new UserError(
      `${what} "${withoutCredentials(text)}" is not among the places that this worker may use; expected one below those that ` +
        `whoever runs it has allowed (${OPTIONS[kind]})`,
    )
  }
  return ({ store, dataDirectory, modelDirectory, places = {}, tracking: tracked }) => {
    refuse('stores', 'the store', store, storeParts)
    refuse('sources', 'dataDirectory', dataDirectory, sourceParts)
    refuse('sources', 'modelDirectory', modelDirectory, sourceParts)
    for (const place of Object.values(places)) refuse('sources', 'the place of a model', place, sourceParts)
    refuse('tracking', 'tracking.uri', tracked?.uri, urlParts)
  }
}

/** A place as a path from its root: the kind of place, then names. */
type Parts = readonly string[]

function isBelow(place: Parts, prefixes: readonly Parts[]): boolean {
  return prefixes.some((prefix) => prefix.every((part, i) => place[i] === part))
}

function prefixed(kind: Kind, text: string, partsOf: (text: string) => Parts): Parts {
  try {
    return partsOf(text)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(`${OPTIONS[kind]}: ${error.message}`)
  }
}

function storeParts(text: string): Parts {
  const url = storeUrl(text)
  return url.startsWith('s3://') ? s3Parts(url) : directoryParts(fileURLToPath(url))
}

function sourceParts(text: string): Parts {
  const source = parseSource(text)
  switch (source.kind) {
    case 'directory':
      return directoryParts(source.path)
    case 'https':
      return urlParts(source.url)
    case 's3':
      return ['s3', source.bucket, ...names(source.prefix)]
    case 'hf':
      return ['hf', source.repo.type, ...names(source.repo.name), ...names(source.path ?? '')]
  }
}

/**
 * A prefix for sources may be shorter than a source: a folder of a host, or an owner on the hub.
 */
function prefixParts(text: string): Parts {
  if (/^https?:\/\//i.test(text)) return urlParts(text)
  const hub = /^hf:\/\/(?:(models|datasets)(?:\/|$))?([^@]*)/.exec(text)
  if (hub) return ['hf', hub[1] === 'datasets' ? 'dataset' : 'model', ...names(hub[2] ?? '')]
  return storeParts(text)
}

const s3Parts = (url: string): Parts => ['s3', ...names(url.slice('s3://'.length))]

function urlParts(text: string): Parts {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new UserError(`"${withoutCredentials(text)}" is no URL; expected one such as https://host/folder`)
  const { origin, pathname } = new URL(text)
  const path = names(pathname).map(decodedName)
  if (path.some((name) => ['.', '..'].includes(name) || /[/\\\p{Cc}]/u.test(name)))
    throw new UserError(
      `"${withoutCredentials(text)}" has a name in its path that may lead elsewhere; expected names between slashes`,
    )
  return [origin, ...path]
}

/**
 * Decodes a name in a URL until it has no encoded characters, because a server may do so: `..%2f`
 * would lead out of an allowed folder.
 */
function decodedName(name: string): string {
  try {
    const decoded = decodeURIComponent(name)
    return decoded === name ? name : decodedName(decoded)
  } catch {
    return name
  }
}

const names = (path: string): Parts => path.split('/').filter(Boolean)

function directoryParts(path: string): Parts {
  return ['file', ...names(realPath(resolve(path)))]
}

/**
 * Resolves the symbolic links of a path. If the path does not exist yet, resolves those of its
 * longest existing part.
 */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), basename(path))
  }
}
