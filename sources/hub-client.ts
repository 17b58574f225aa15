import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import pRetry from 'p-retry'
import { UserError } from '../common/errors.ts'
import { refuseHost } from './address.ts'
import { Interruption, openUrl, type Opened } from './download.ts'
import { Unreachable } from './http.ts'
import { formatSource, type Source } from './source.ts'

type HubSource = Extract<Source, { kind: 'hf' }>

/** A client for one repository of the Hugging Face hub, with the settings of the environment. */
export interface Hub {
  readonly endpoint: string
  readonly isOffline: boolean
  /**
   * A `fetch` for `@huggingface/hub` that checks addresses, sends the token and explains errors.
   */
  readonly fetch: typeof fetch
  /** Opens a file of a commit at an offset. */
  open(commit: string, path: string, from: number, etag: string | undefined): Promise<Opened>
}

/**
 * A client with the settings of the hub's Python library:
 *
 *     HF_ENDPOINT       a hub other than https://huggingface.co
 *     HF_TOKEN          the token; by default it is in the file HF_TOKEN_PATH, or in `token`
 *                       in the folder HF_HOME (~/.cache/huggingface)
 *     HF_HUB_OFFLINE    1: only the cache is used, without any request
 *     HF_HUB_CACHE      the cache; `hub` in HF_HOME by default
 */
export async function openHub(source: HubSource): Promise<Hub> {
  const endpoint = endpointOf(process.env)
  const token = await tokenOf(process.env)
  const refused = (status: number, headers: ReadonlyMap<string, string>) =>
    refusal(source, { endpoint, hasToken: token !== undefined, status, headers })
  const open = (url: string, from: number, etag: string | undefined) =>
    openUrl(url, from, etag, { token, refused })
  const folder = source.repo.type === 'dataset' ? 'datasets/' : ''
  return {
    endpoint,
    isOffline: isSet(process.env.HF_HUB_OFFLINE) || isSet(process.env.TRANSFORMERS_OFFLINE),
    async fetch(input) {
      const url = input instanceof Request ? input.url : String(input)
      return pRetry(
        async () => {
          const { body, headers } = await open(url, 0, undefined)
          return new Response(new Uint8Array(await buffer(body)), { headers: [...headers] })
        },
        {
          retries: 3,
          minTimeout: 300,
          shouldRetry: ({ error }) => error instanceof Interruption,
        },
      )
    },
    open: (commit, path, from, etag) =>
      open(
        `${endpoint}/${folder}${source.repo.name}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`,
        from,
        etag,
      ),
  }
}

/** Whether the hub cannot be reached or is too busy, so that the cache may be used instead. */
export function isAway(error: unknown): error is Error {
  return error instanceof Unreachable || error instanceof Interruption
}

function endpointOf({ HF_ENDPOINT }: NodeJS.ProcessEnv): string {
  if (!HF_ENDPOINT) return 'https://huggingface.co'
  const url = URL.canParse(HF_ENDPOINT) ? new URL(HF_ENDPOINT) : undefined
  if (!url || url.username || url.password)
    throw new UserError('HF_ENDPOINT is not a URL of a hub; expected one such as https://huggingface.co')
  refuseHost(url)
  return HF_ENDPOINT.replace(/\/+$/, '')
}

async function tokenOf(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const home = env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface')
  const file = env.HF_TOKEN_PATH ?? join(home, 'token')
  const token = (env.HF_TOKEN ?? (await readFile(file, 'utf8').catch(() => ''))).trim()
  if (token === '') return undefined
  // The value itself is not shown.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UserError(
      `${env.HF_TOKEN ? 'HF_TOKEN' : file} holds no token; expected one such as hf_…, from the hub's settings`,
    )
  return token
}

const isSet = (value: string | undefined) => /^(1|on|yes|true)$/i.test(value ?? '')

interface Refused {
  readonly endpoint: string
  readonly hasToken: boolean
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
}

/**
 * The error for a refused request. The hub answers 401 also for a repository that does not exist,
 * to hide the names of private ones.
 */
function refusal(source: HubSource, { endpoint, hasToken, status, headers }: Refused): UserError {
  const { repo, revision } = source
  const code = headers.get('x-error-code')
  const said = headers.get('x-error-message')
  const page = `${endpoint}/${repo.type === 'dataset' ? 'datasets/' : ''}${repo.name}`
  const token = hasToken
    ? 'use a token (HF_TOKEN) of an account that may read it'
    : 'set HF_TOKEN to a token of an account that may read it'
  const why = () => {
    if (code === 'GatedRepo' || (status === 403 && code === undefined))
      return `access to it has to be granted first: accept its terms at ${page}, and ${token}`
    if (code === 'RevisionNotFound')
      return `it has no revision "${revision}"; check its branches and tags at ${page}`
    if (code === 'EntryNotFound') return `the file is not in it any more; see ${page}`
    if (status === 401 || status === 404)
      return `there is no such ${repo.type}, or it is private: check the name at ${page}, and ${token}`
    return `it said: ${said ?? 'nothing'}; see ${page}`
  }
  return new UserError(`${formatSource(source)}: the hub answered ${status}: ${why()}`)
}
