import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { storeUrl } from '../../artifacts/store/store-url.ts'
import { withoutCredentials } from '../../common/credentials.ts'
import { UserError } from '../../common/errors.ts'
import type { Settings } from '../../experiment/spec/spec.ts'
import { parseSource } from '../../sources/source.ts'

/**
 * Places that the tasks of a worker may name, each with all that is below it. Whoever may start
 * workflows has the worker's hands: without such a list it reads and writes whatever its
 * credentials can.
 */
export interface AllowedPrefixes {
  /** Results are read and written there, data and checkpoints read. */
  readonly stores?: readonly string[] | undefined
  /** Data and checkpoints are read there: directories, s3://…, https://…, hf://…. */
  readonly sources?: readonly string[] | undefined
  /** MLflow servers. They are sent the worker's credentials. */
  readonly tracking?: readonly string[] | undefined
}

/** What a task names. */
export interface NamedPlaces extends Pick<Settings, 'dataDirectory' | 'modelDirectory'> {
  readonly store?: string | undefined
  readonly tracking?: { readonly uri: string } | undefined
}

/** Throws a UserError where a task names a place that is not allowed. */
export type RefuseElsewhere = (named: NamedPlaces) => void

const OPTIONS = { stores: '--allow-store', sources: '--allow-source', tracking: '--allow-tracking' } as const
type Kind = keyof typeof OPTIONS

const VARIABLES: Readonly<Record<Kind, string>> = {
  stores: 'ZEROSHIFT_ALLOWED_STORES',
  sources: 'ZEROSHIFT_ALLOWED_SOURCES',
  tracking: 'ZEROSHIFT_ALLOWED_TRACKING',
}

/** From ZEROSHIFT_ALLOWED_STORES, _SOURCES and _TRACKING, separated by commas, unless given. */
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
 * Where no list is given, nothing is refused. Where one is, all three hold: what has no list has no
 * allowed place. Prefixes are compared name by name, so that s3://b/a does not allow s3://b/ab;
 * directories by where symbolic links lead now, and what is linked from within an allowed directory
 * is not judged: whoever can write there is trusted with it.
 *
 * Throws a UserError where a prefix is wrong.
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
  return ({ store, dataDirectory, modelDirectory, tracking: tracked }) => {
    refuse('stores', 'the store', store, storeParts)
    refuse('sources', 'dataDirectory', dataDirectory, sourceParts)
    refuse('sources', 'modelDirectory', modelDirectory, sourceParts)
    refuse('tracking', 'tracking.uri', tracked?.uri, urlParts)
  }
}

/** A place from its root down: the kind, then names. */
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

/** A prefix of sources may be less than a source: a folder of a host, an owner on the hub. */
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
 * A name as the server reads it, however often it is encoded: `..%2f` would lead out of a folder
 * that looks allowed.
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

/** Where a path leads; of one that is not there yet, the part that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), basename(path))
  }
}
