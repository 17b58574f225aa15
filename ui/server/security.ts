import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { UserError } from '../../common/errors.ts'
import { isLoopbackHost } from '../../common/loopback.ts'
import { RefusedRequest } from './answers/answer.ts'

/**
 * What protects the server: who may ask (a token), from which page (Host, Origin), and what a page
 * may load (the Content-Security-Policy).
 */

/** The headers of every answer. */
export const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
} as const

/** The parts of a request that decide whether it is answered. */
export interface GuardedRequest {
  readonly method: string
  /** The names are in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

const LEAST_TOKEN = 16

/**
 * Throws a UserError for an address that other machines reach without a token, and for a token that
 * can be guessed.
 */
export function refuseUnsafe(host: string, token: string | undefined): void {
  if (token !== undefined && (token.length < LEAST_TOKEN || !/^[\x21-\x7e]+$/.test(token)))
    throw new UserError(
      `the token of the page has ${token.length} characters; expected ${LEAST_TOKEN} or more, without white space, such as those ` +
        'that `openssl rand -hex 16` prints',
    )
  if (token === undefined && !isLoopbackHost(host))
    throw new UserError(
      `--host ${host}: other machines would see all runs there. Set ZEROSHIFT_UI_TOKEN to a secret that the page then asks ` +
        'for, or leave --host out and forward the port, such as by `ssh -L 8090:127.0.0.1:8090`',
    )
}

/**
 * Throws a RefusedRequest unless the Host header names this server. A page of another site whose
 * name leads to this machine (DNS rebinding) sends the name of that site.
 */
export function refuseHost({ headers }: GuardedRequest, host: string): void {
  const sent = one(headers.host)?.toLowerCase() ?? ''
  const name = sent.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  const isOwn = isLoopbackHost(host)
    ? isLoopbackHost(name)
    : isIP(name) > 0 || isLoopbackHost(name) || [host, hostname()].some((own) => own.toLowerCase() === name)
  if (!isOwn)
    throw new RefusedRequest(
      403,
      'the Host header of the request names another server',
      isLoopbackHost(host)
        ? 'open the page at 127.0.0.1 or localhost'
        : 'open the page at the address that the server prints, or start it with this name as --host',
    )
}

/** Throws a RefusedRequest if a page of another site made the request. */
export function refuseOtherSite({ headers }: GuardedRequest): void {
  const site = one(headers['sec-fetch-site'])
  const origin = one(headers.origin)
  const isOther = site === 'cross-site' || site === 'same-site'
  if (isOther || (origin !== undefined && !isOwnOrigin(origin, one(headers.host) ?? '')))
    throw new RefusedRequest(403, 'a page of another site made this request', 'open the page of this server')
}

function isOwnOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}

/** Whether a secret is the expected one. The time that it takes tells nothing about either. */
export function isSameSecret(given: string | undefined, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given ?? ''), digest(expected)) && given !== undefined
}

/**
 * The token of a user and the cookie that stands for it in a browser. The cookie is a random text
 * of this process, so that no browser keeps the token.
 */
export class Entrance {
  private readonly token: string | undefined
  private readonly cookieName: string
  private readonly cookie = randomBytes(32).toString('hex')

  constructor(token: string | undefined, cookieName: string) {
    this.token = token
    this.cookieName = cookieName
  }

  /** Throws a RefusedRequest unless the request has the token or the cookie. */
  refuseStranger({ headers }: GuardedRequest): void {
    if (this.token === undefined) return
    const { cookieName } = this
    const bearer = /^Bearer (.+)$/.exec(one(headers.authorization) ?? '')?.[1]
    const cookies = (one(headers.cookie) ?? '').split(';').map((part) => part.trim())
    const cookie = cookies.find((part) => part.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1)
    if (isSameSecret(bearer, this.token) || isSameSecret(cookie, this.cookie)) return
    throw new RefusedRequest(
      401,
      'this server needs its token',
      'open the address with the token that its terminal shows, or append ?token=… to it',
    )
  }

  /** The Set-Cookie header for a browser that has sent the right token, or undefined. */
  cookieFor(token: string): string | undefined {
    if (this.token === undefined || !isSameSecret(token, this.token)) return undefined
    return `${this.cookieName}=${this.cookie}; HttpOnly; SameSite=Lax; Path=/`
  }
}

/** A secret that the page gets with its session and sends with every change. */
export function changeToken(): string {
  return randomBytes(32).toString('hex')
}

/** Throws a RefusedRequest unless the page of this server asks for a change. */
export function refuseForgery(request: GuardedRequest, token: string | undefined): void {
  if (token === undefined)
    throw new RefusedRequest(
      403,
      'this page may only read',
      'start it with --control to let it pause, resume, cancel and delete runs',
    )
  refuseOtherSite(request)
  if (!isSameSecret(one(request.headers['x-zeroshift-token']), token))
    throw new RefusedRequest(403, 'the request lacks the token of the session', 'load the page again')
}

/** The only value of a header. A header that was sent twice counts as missing. */
function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
