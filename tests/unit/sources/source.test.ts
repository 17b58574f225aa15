import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { isElsewhere } from '../../../experiment/spec/places.ts'
import { formatSource, parseSource, type Source } from '../../../sources/source.ts'

const sha = 'a1'.repeat(32)
const commit = '0f'.repeat(20)

test.each<[string, Source]>([
  ['../images', { kind: 'directory', path: '../images' }],
  ['https://host.org/a.zip', { kind: 'https', url: 'https://host.org/a.zip' }],
  [
    `https://host.org/a.zip#sha256=${sha.toUpperCase()}`,
    { kind: 'https', url: 'https://host.org/a.zip', sha256: sha },
  ],
  ['http://127.0.0.1:80/a', { kind: 'https', url: 'http://127.0.0.1/a' }],
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
  ['s3://bucket/a/b/', { kind: 's3', bucket: 'bucket', prefix: 'a/b' }],
  ['hf://owner/name', { kind: 'hf', repo: { type: 'model', name: 'owner/name' }, revision: 'main' }],
  [
    `hf://models/owner/name@${commit}`,
    { kind: 'hf', repo: { type: 'model', name: 'owner/name' }, revision: commit },
  ],
  [
    'hf://datasets/o/n@v1.0/data/train',
    { kind: 'hf', repo: { type: 'dataset', name: 'o/n' }, revision: 'v1.0', path: 'data/train' },
  ],
  [
    'hf://datasets/o/n@refs/convert/parquet/default',
    { kind: 'hf', repo: { type: 'dataset', name: 'o/n' }, revision: 'refs/convert/parquet', path: 'default' },
  ],
  ['hf://o/n@feature%2Fx', { kind: 'hf', repo: { type: 'model', name: 'o/n' }, revision: 'feature/x' }],
])('%s', (text, source) => {
  expect(parseSource(text)).toEqual(source)
  expect(isElsewhere(text)).toBe(source.kind !== 'directory')
})

test.each([
  ['', /^"" is no place; expected a directory, https:/],
  ['ftp://host/a', /"ftp:\/\/host\/a" is of an unknown kind; expected a directory/],
  ['file:///etc', /is a file:\/\/ URL; expected the directory itself/],
  ['http://host.org/a', /^http:\/\/host\.org is not encrypted; expected https/],
  ['https://me:word@host.org/a', /^"https:\/\/…@host\.org\/a" holds credentials/],
  [
    'https://host.org/a?X-Amz-Signature=1',
    /^https:\/\/host\.org\/a has the parameter "X-Amz-Signature", which is a cred/,
  ],
  ['https://host.org/a#sha256=12', /ends in "#sha256=12"; expected #sha256= and 64 hexadecimal digits/],
  ['https://host.org/', /names a folder; expected a file/],
  ['https://', /is no URL/],
  ['https://169.254.169.254/latest', /is a link-local or metadata address/],
  ['http://2852039166/latest', /is a link-local or metadata address/],
  ['https://[::ffff:169.254.169.254]/x', /is a link-local or metadata address/],
  ['https://[fe80::1]/x', /is a link-local or metadata address/],
  ['https://metadata.google.internal./x', /is a link-local or metadata address/],
  ['http://0.0.0.0/x', /is a link-local or metadata address/],
  ['s3://', /names the bucket ""; expected s3:\/\/bucket\/prefix/],
  ['s3://bucket/a/../b', /has ".." in its path/],
  ['s3://bucket/a//b', /has "" in its path/],
  ['s3://key:secret@bucket/a', /^"s3:\/\/…@bucket\/a" holds credentials/],
  ['hf://name', /names no repository of the Hugging Face hub; expected hf:\/\/owner\/name@revision/],
  ['hf://spaces/o/n', /is a Space, which holds no data/],
  ['hf://o/n@', /names the revision ""; expected a branch, a tag or a commit/],
  ['hf://o/n@..%2Fx', /names the revision "\.\.%2Fx"/],
  ['hf://o/n@main/../x', /has ".." in its path/],
  ['hf://o--p/n', /names no repository/],
])('refuses %s', (text, message) => {
  expect(() => parseSource(text)).toThrow(UserError)
  expect(() => parseSource(text)).toThrow(message)
})

describe('what is written is read again', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_.]{0,8}[a-z0-9]$/).filter((text) => !text.includes('..'))
  const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('/'))
  const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/)
  const source: fc.Arbitrary<Source> = fc.oneof(
    path.map((path) => ({ kind: 'directory' as const, path })),
    fc
      .record({ host: word, path, sha256: fc.option(fc.constant(sha), { nil: undefined }) })
      .map(({ host, path, sha256 }) => ({
        kind: 'https' as const,
        url: `https://${host}.org/${path}`,
        ...(sha256 !== undefined && { sha256 }),
      })),
    fc
      .record({ bucket, prefix: fc.oneof(fc.constant(''), path) })
      .map((place) => ({ kind: 's3' as const, ...place })),
    fc
      .record({
        type: fc.constantFrom('model' as const, 'dataset' as const),
        owner: word,
        name: word,
        revision: fc.oneof(fc.constant(commit), path),
        path: fc.option(path, { nil: undefined }),
      })
      // Folders of the hub's own, which no owner is called.
      .filter(({ owner }) => !['models', 'datasets', 'spaces'].includes(owner))
      .map(({ type, owner, name, revision, path }) => ({
        kind: 'hf' as const,
        repo: { type, name: `${owner}/${name}` },
        revision,
        ...(path !== undefined && { path }),
      })),
  )
  test('for every source', () => {
    fc.assert(
      fc.property(source, (source) => {
        expect(parseSource(formatSource(source))).toEqual(source)
      }),
      { numRuns: 500 },
    )
  })
  test('and no text is read as anything but a source or a mistake of the user', () => {
    const prefix = fc.constantFrom('', 'hf://', 'hf://datasets/', 's3://', 'https://', 'http://')
    fc.assert(
      fc.property(prefix, fc.string(), (prefix, rest) => {
        try {
          const source = parseSource(prefix + rest)
          expect(parseSource(formatSource(source))).toEqual(source)
        } catch (error) {
          expect(error).toBeInstanceOf(UserError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
