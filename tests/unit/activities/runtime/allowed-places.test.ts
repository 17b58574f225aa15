import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  allowedPrefixes,
  refuseElsewhere,
  type NamedPlaces,
} from '../../../../activities/runtime/allowed-places.ts'
import { UserError } from '../../../../common/errors.ts'
import { fileDirectory } from '../../../support/directories.ts'

let root: string
beforeAll(() => {
  root = realpathSync(fileDirectory())
  mkdirSync(join(root, 'ours', 'data'), { recursive: true })
  mkdirSync(join(root, 'theirs'))
  symlinkSync(join(root, 'theirs'), join(root, 'ours', 'link'))
  symlinkSync(join(root, 'ours'), join(root, 'alias'))
})

const at = (...names: readonly string[]) => join(root, ...names)
const refuse = (named: NamedPlaces) => {
  refuseElsewhere({
    stores: ['s3://shared/tenants/a', pathToFileURL(at('ours')).href],
    sources: ['s3://public', 'hf://datasets/owner', 'hf://google/vit@main', 'https://host.org/data/'],
    tracking: ['https://mlflow.example.org/a'],
  })(named)
}

test.each([
  'https://host.org/data/..%2fother/a.zip',
  'https://host.org/data/..%2Fother%2Fa.zip',
  'https://host.org/data/%2e%2e/other/a.zip',
  'https://host.org/data/%252e%252e%252fother/a.zip',
  'https://host.org/data/%252e%252e/other/a.zip',
  'https://host.org/data/..%5cother/a.zip',
  'https://host.org/data/a%0a/b.zip',
])('%s leads out of an allowed folder', (dataDirectory) => {
  expect(() => {
    refuse({ dataDirectory })
  }).toThrow(UserError)
})

test('a name may be encoded as another program encodes it', () => {
  expect(() => {
    refuse({ dataDirectory: 'https://host.org/%64ata/some%20images.zip' })
  }).not.toThrow()
})

test('without a list, a task may lead anywhere', () => {
  expect(() => {
    refuseElsewhere(allowedPrefixes({}, {}))({ store: 's3://any/where', tracking: { uri: 'http://any' } })
  }).not.toThrow()
})

describe('a store', () => {
  test.each(['s3://shared/tenants/a', 's3://shared/tenants/a/', 's3://shared/tenants/a/deeper/still'])(
    '%s is below an allowed one',
    (store) => {
      expect(() => {
        refuse({ store })
      }).not.toThrow()
    },
  )

  test.each([
    's3://shared',
    's3://shared/tenants',
    's3://shared/tenants/ab',
    's3://shared/tenants/b',
    's3://shared/tenants/a/../b',
    's3://shared/tenants//a',
    's3://Shared/tenants/a',
    's3://public/a',
    's3://other/tenants/a',
    'file:///',
    '/etc',
    '.',
  ])('%s is not', (store) => {
    expect(() => {
      refuse({ store })
    }).toThrow(UserError)
  })

  test('in a directory is judged by where its path leads', () => {
    const judged = (store: string) => () => {
      refuse({ store })
    }
    expect(judged(at('ours'))).not.toThrow()
    expect(judged(at('ours', 'not', 'there', 'yet'))).not.toThrow()
    expect(judged(at('theirs', '..', 'ours'))).not.toThrow()
    expect(judged(at('alias', 'data'))).not.toThrow()
    for (const store of [
      at('theirs'),
      `${at('ours')}x`,
      `${at('ours')}/../theirs`,
      `${pathToFileURL(at('ours')).href}/%2e%2e/theirs`,
      `${pathToFileURL(at('ours')).href}/..%2ftheirs`,
      at('ours', 'link'),
      at('ours', 'link', 'not', 'there'),
    ])
      expect(judged(store)).toThrow(UserError)
  })
})

describe('data and checkpoints', () => {
  test.each([
    () => at('ours', 'data'),
    () => 's3://shared/tenants/a/data',
    () => 's3://public/images',
    () => 'hf://datasets/owner/beans@main',
    () => 'hf://google/vit@0123abc/folder',
    () => 'https://host.org/data/images.zip#sha256=' + '0'.repeat(64),
  ])('may be below an allowed source or store: %s', (place) => {
    for (const named of [
      { dataDirectory: place() },
      { modelDirectory: place() },
      { places: { digest: place() } },
    ])
      expect(() => {
        refuse(named)
      }).not.toThrow()
  })

  test.each([
    '/etc',
    's3://shared/tenants/b/data',
    'hf://owner/beans@main',
    'hf://datasets/owners/beans@main',
    'hf://google/vitae@main',
    'https://host.org/database/images.zip',
    'https://host.org/data/../other/images.zip',
    'https://host.org:8443/data/images.zip',
    'https://host.org.evil.org/data/images.zip',
    'file:///etc',
  ])('and nowhere else: %s', (place) => {
    for (const named of [{ dataDirectory: place }, { modelDirectory: place }, { places: { digest: place } }])
      expect(() => {
        refuse(named)
      }).toThrow(UserError)
  })
})

test('a tracking server is one that is allowed, since it is sent credentials', () => {
  const judged = (uri: string) => () => {
    refuse({ tracking: { uri } })
  }
  expect(judged('https://mlflow.example.org/a')).not.toThrow()
  expect(judged('https://user:word@mlflow.example.org/a/b')).not.toThrow()
  for (const uri of [
    'https://mlflow.example.org/b',
    'https://mlflow.example.org/a/../b',
    'http://mlflow.example.org/a',
    'https://user:word@evil.org/a',
    'https://mlflow.example.org@evil.org/a',
    'no URL',
  ])
    expect(judged(uri)).toThrow(UserError)
  expect(judged('https://user:word@evil.org/a')).not.toThrow(/word/)
})

test('what has no list of its own has no allowed place', () => {
  const only = refuseElsewhere({ stores: ['s3://shared/a'] })
  expect(() => {
    only({ tracking: { uri: 'https://mlflow.example.org' } })
  }).toThrow(/--allow-tracking/)
  expect(() => {
    only({ dataDirectory: 's3://public/images' })
  }).toThrow(/--allow-source/)
  expect(() => refuseElsewhere({ sources: ['s3://public'] })).toThrow(/name the allowed stores, too/)
})

test('a refusal does not say where others are', () => {
  expect(() => {
    refuse({ store: 's3://shared/tenants/b' })
  }).not.toThrow(/tenants\/a/)
})

test('lists come from the environment, and options go before it', () => {
  const env = { ZEROSHIFT_ALLOWED_STORES: 's3://shared/a, /data', ZEROSHIFT_ALLOWED_SOURCES: 'hf://owner' }
  expect(allowedPrefixes({}, env)).toEqual({
    stores: ['s3://shared/a', '/data'],
    sources: ['hf://owner'],
    tracking: undefined,
  })
  expect(allowedPrefixes({ stores: ['/other'] }, env).stores).toEqual(['/other'])
  expect(() => refuseElsewhere({ stores: ['ftp://host'] })).toThrow(/--allow-store: .*of an unknown kind/)
})
