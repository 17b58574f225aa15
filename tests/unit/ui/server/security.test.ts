import { describe, expect, it } from 'vitest'
import { UserError } from '../../../../common/errors.ts'
import { RefusedRequest } from '../../../../ui/server/answers/answer.ts'
import {
  Entrance,
  isSameSecret,
  refuseForgery,
  refuseHost,
  refuseOtherSite,
  refuseUnsafe,
  securityHeaders,
} from '../../../../ui/server/security.ts'

const token = '0123456789abcdef'
const request = (headers: Readonly<Record<string, string>>) => ({ method: 'GET', headers })
const statusOf = (work: () => void) => {
  try {
    work()
    return 200
  } catch (error) {
    if (error instanceof RefusedRequest) return error.status
    throw error
  }
}

describe('the address', () => {
  it.each(['127.0.0.1', '127.8.8.8', 'localhost', '::1'])('%s needs no token', (host) => {
    expect(() => {
      refuseUnsafe(host, undefined)
    }).not.toThrow()
  })

  it.each(['0.0.0.0', '::', '192.168.0.4', 'lab.example'])('%s needs a token', (host) => {
    expect(() => {
      refuseUnsafe(host, undefined)
    }).toThrow(UserError)
    expect(() => {
      refuseUnsafe(host, token)
    }).not.toThrow()
  })

  it.each(['short', 'with a space in it', 'tab\tseparated-text'])('the token "%s" is refused', (bad) => {
    expect(() => {
      refuseUnsafe('127.0.0.1', bad)
    }).toThrow(/expected 16 or more, without white space/)
  })
})

describe('the Host header', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1:8090', 200],
    ['127.0.0.1', 'localhost:8090', 200],
    ['127.0.0.1', '[::1]:8090', 200],
    ['127.0.0.1', 'LOCALHOST', 200],
    ['127.0.0.1', 'evil.example', 403],
    ['127.0.0.1', 'localhost.evil.example:8090', 403],
    ['127.0.0.1', '127.0.0.1.evil.example', 403],
    ['127.0.0.1', '192.168.0.4:8090', 403],
    ['127.0.0.1', '', 403],
    ['0.0.0.0', '192.168.0.4:8090', 200],
    ['0.0.0.0', 'localhost:8090', 200],
    ['0.0.0.0', 'evil.example:8090', 403],
    ['lab.example', 'lab.example:8090', 200],
    ['lab.example', 'other.example:8090', 403],
  ])('a server at %s that is called %s answers %i', (host, header, status) => {
    expect(statusOf(() => refuseHost(request({ host: header }), host))).toBe(status)
  })

  it('is needed', () => {
    expect(statusOf(() => refuseHost(request({}), '127.0.0.1'))).toBe(403)
  })
})

describe('a page of another site', () => {
  const host = '127.0.0.1:8090'
  it.each([
    [{ host }, 200],
    [{ host, 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8090' }, 200],
    [{ host, 'sec-fetch-site': 'none' }, 200],
    [{ host, 'sec-fetch-site': 'cross-site' }, 403],
    // Another port of this machine is the same site, but another server.
    [{ host, 'sec-fetch-site': 'same-site' }, 403],
    [{ host, origin: 'http://127.0.0.1:8888' }, 403],
    [{ host, origin: 'https://evil.example' }, 403],
    [{ host, origin: 'null' }, 403],
  ])('%j gives %i', (headers, status) => {
    expect(statusOf(() => refuseOtherSite(request(headers)))).toBe(status)
  })
})

describe('a change', () => {
  const host = '127.0.0.1:8090'
  it.each([
    ['of a page that may only read', undefined, { host, 'x-zeroshift-token': 'x' }, 403],
    ['without the token', token, { host }, 403],
    ['with another token', token, { host, 'x-zeroshift-token': `${token}0` }, 403],
    [
      'with the token from another site',
      token,
      { host, origin: 'http://evil.example', 'x-zeroshift-token': token },
      403,
    ],
    ['with the token', token, { host, origin: 'http://127.0.0.1:8090', 'x-zeroshift-token': token }, 200],
  ])('%s', (_, expected, headers, status) => {
    expect(statusOf(() => refuseForgery({ method: 'POST', headers }, expected))).toBe(status)
  })
})

describe('the entrance', () => {
  const entrance = new Entrance(token, 'zeroshift-ui-8090')
  const enter = (headers: Readonly<Record<string, string>>) =>
    statusOf(() => entrance.refuseStranger(request(headers)))

  it('lets the token in, and the cookie that it gives', () => {
    expect(enter({ authorization: `Bearer ${token}` })).toBe(200)
    const [cookie = '', ...attributes] = (entrance.cookieFor(token) ?? '').split('; ')
    expect(attributes).toEqual(['HttpOnly', 'SameSite=Lax', 'Path=/'])
    expect(cookie).not.toContain(token)
    expect(enter({ cookie: `other=1; ${cookie}; more=2` })).toBe(200)
    expect(enter({ cookie: cookie.slice(0, -1) })).toBe(401)
  })

  it('keeps others out', () => {
    expect(enter({})).toBe(401)
    expect(enter({ authorization: 'Bearer wrong' })).toBe(401)
    expect(enter({ authorization: token })).toBe(401)
    expect(enter({ cookie: 'zeroshift-ui-8090=' })).toBe(401)
    expect(entrance.cookieFor('wrong')).toBeUndefined()
  })

  it('of another process does not know the cookie', () => {
    const [cookie = ''] = (new Entrance(token, 'zeroshift-ui-8090').cookieFor(token) ?? '').split('; ')
    expect(enter({ cookie })).toBe(401)
  })

  it('is open without a token', () => {
    expect(statusOf(() => new Entrance(undefined, 'name').refuseStranger(request({})))).toBe(200)
    expect(new Entrance(undefined, 'name').cookieFor('')).toBeUndefined()
  })
})

it('compares secrets of any length', () => {
  expect(isSameSecret('a', 'a')).toBe(true)
  expect(isSameSecret('a', 'ab')).toBe(false)
  expect(isSameSecret(undefined, '')).toBe(false)
})

it('allows a page to load nothing from elsewhere and no text as code', () => {
  const policy = securityHeaders['content-security-policy']
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toMatch(/unsafe|\*|https?:/)
})
