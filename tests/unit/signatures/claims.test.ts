import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../common/canonical.ts'
import { reportClaims, signedReport, stageClaims } from '../../../signatures/claims.ts'
import { signedEnvelope } from '../../../signatures/envelope.ts'
import { newSigningKey } from '../../../signatures/keys.ts'
import { verifyEnvelope, signedStatement, subjectsOf, type Statement } from '../../../signatures/statement.ts'

const digit = (digit: string) => digit.repeat(64)
const stage = {
  kind: 'train' as const,
  key: digit('a'),
  digest: digit('b'),
  outputs: {
    state: { sha256: digit('d'), bytes: 2 },
    model: { sha256: digit('c'), bytes: 1 },
  },
}
const report = { run: 'r-00000000', digest: digit('e'), stages: { [digit('a')]: digit('b') } }
const signer = newSigningKey()
const { id } = signer.publicKey
const payloadType = 'application/vnd.in-toto+json'

test('a stage is signed as an in-toto statement: the manifest by its digest, and its files by theirs', () => {
  expect(stageClaims(stage).computed).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: `stages/train/${digit('a')}`, digest: { sha256: digit('b') } },
      { name: 'model', digest: { sha256: digit('c') } },
      { name: 'state', digest: { sha256: digit('d') } },
    ],
    predicateType: 'urn:zeroshift:stage-computed:v1',
    predicate: { kind: 'train', key: digit('a'), digest: digit('b') },
  })
  expect(stageClaims(stage).attested).toEqual({
    ...stageClaims(stage).computed,
    predicateType: 'urn:zeroshift:stage-attested:v1',
  })
})

test('a report is signed with its run and the digests of its stages', () => {
  expect(reportClaims(report).rendered).toEqual({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'runs/r-00000000/report', digest: { sha256: digit('e') } }],
    predicateType: 'urn:zeroshift:report-rendered:v1',
    predicate: report,
  })
  const stages = [
    { key: digit('a'), digest: digit('b') },
    { key: digit('f'), missing: 'it failed' },
  ]
  expect(signedReport('r-00000000', { digest: digit('e'), computed: { stages } })).toEqual(report)
  expect(signedReport('r-00000000', { digest: 'e', computed: { stages } })).toBeUndefined()
  expect(signedReport('r-00000000', null)).toBeUndefined()
})

const verified = (text: string, claims = stageClaims(stage)) =>
  verifyEnvelope(text, 'e.json', claims, [signer.publicKey])

test('a signature says which claim it is', () => {
  const holds = { valid: [id], invalid: [], unknown: [] }
  const { computed, attested } = stageClaims(stage)
  expect(verified(signedStatement(computed, signer))).toEqual({ claim: 'computed', ...holds })
  expect(verified(signedStatement(attested, signer))).toEqual({ claim: 'attested', ...holds })
  // The order of keys and white space are not what is claimed.
  const { _type, ...rest } = computed
  const spaced = JSON.stringify({ ...rest, _type }, null, 4)
  expect(verified(signedEnvelope(payloadType, Buffer.from(spaced), signer))).toEqual({
    claim: 'computed',
    ...holds,
  })
})

/** The statement of another thing, by a signer whose signature holds. */
describe('a signature that holds, and is not of this result, is refused', () => {
  const { computed } = stageClaims(stage)
  const [first, ...files] = computed.subject
  const named = (subject: object) => ({ ...computed, subject: [{ ...first, ...subject }, ...files] })
  test.each<[string, object, RegExp]>([
    [
      'another digest of the manifest',
      named({ digest: { sha256: digit('0') } }),
      /its subject\[0\]\.digest\.sha256 is "0+", expected "b+"/,
    ],
    ['another stage', named({ name: `stages/train/${digit('0')}` }), /its subject\[0\]\.name is/],
    ['no file', { ...computed, subject: [first] }, /its subject\[1\] is nothing, expected/],
    [
      'a further subject',
      { ...computed, subject: [...computed.subject, first] },
      /its subject\[3\] is .*, expected nothing/,
    ],
    [
      'a second kind of digest',
      named({ digest: { sha256: digit('b'), sha512: '0' } }),
      /sha512 is "0", expected nothing/,
    ],
    [
      'another key',
      { ...computed, predicate: { ...computed.predicate, key: digit('0') } },
      /its predicate\.key is/,
    ],
    [
      'another kind',
      { ...computed, predicate: { ...computed.predicate, kind: 'split' } },
      /its predicate\.kind is "split"/,
    ],
    [
      'another digest in the predicate',
      { ...computed, predicate: { ...computed.predicate, digest: digit('0') } },
      /its predicate\.digest is/,
    ],
    ['no predicate', { ...computed, predicate: undefined }, /its predicate is nothing/],
    [
      'another type of predicate',
      { ...computed, predicateType: 'https://slsa.dev/provenance/v1' },
      /another kind, "https:\/\/slsa/,
    ],
    ['a report', reportClaims(report).rendered, /another kind, "urn:zeroshift:report-rendered:v1"/],
    [
      'another version of statements',
      { ...computed, _type: 'https://in-toto.io/Statement/v0.1' },
      /no in-toto statement/,
    ],
    ['no statement', ['computed'], /no in-toto statement/],
  ])('%s', (_, statement, message) => {
    const text = signedStatement(statement as Statement, signer)
    expect(verified(text)).toEqual({ flaw: expect.stringMatching(message) as string })
  })

  test('bytes that are no UTF-8, or no JSON', () => {
    for (const payload of [Buffer.of(0x22, 0xff, 0x22), Buffer.from('{')])
      expect(verified(signedEnvelope(payloadType, payload, signer))).toEqual({
        flaw: 'its payload is no in-toto statement',
      })
  })
})

test('a signature that does not verify is told before what it says', () => {
  const envelope = JSON.parse(signedStatement(stageClaims(stage).computed, signer)) as { payload: string }
  const payload = Buffer.from(canonicalJson({ any: 'thing' })).toString('base64')
  expect(verified(JSON.stringify({ ...envelope, payload }))).toEqual({
    flaw: `the signature by ${id} does not verify`,
  })
  expect(verified('{}')).toEqual({ flaw: expect.stringMatching(/^this is no DSSE envelope: /) as string })
})

test('the subjects of an envelope are read without a key; a malformed one has none', () => {
  expect(subjectsOf(signedStatement(reportClaims(report).attested, signer))).toEqual([
    { name: 'runs/r-00000000/report', digest: { sha256: digit('e') } },
  ])
  expect(subjectsOf('')).toEqual([])
})
