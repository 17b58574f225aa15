import { describe, expect, test } from 'vitest'
import {
  deletionSchema,
  type Attempt,
  type Deletion,
  type Evidence,
} from '../../../../experiment/records/deletion.ts'
import { digestOf } from '../../../../common/canonical.ts'
import { chainFlaws, deletionFlaws } from '../../../../experiment/records/deletion-flaws.ts'
import { madeBatch, madeDeletions } from '../../../support/deletions.ts'

const records = madeDeletions(4).map(({ record }) => record)
const [measured, replayed, refused] = records
if (!measured || !replayed || !refused) throw new Error('three requests were made')

test('records of a ledger have no flaw, alone and as a chain', () => {
  records.forEach((record, i) => {
    expect(deletionSchema.parse(record)).toEqual(record)
    expect(deletionFlaws(record)).toEqual([])
    expect(chainFlaws(record, records.slice(0, i))).toEqual([])
  })
})

const withAttempt = (record: Deletion, place: number, change: Partial<Attempt>): Deletion => ({
  ...record,
  attempts: record.attempts.map((attempt, i) => (i === place ? { ...attempt, ...change } : attempt)),
})
const withEvidence = (record: Deletion, change: Partial<Evidence>): Deletion =>
  withAttempt(record, 0, {
    evidence: record.attempts[0]?.evidence.map((one, i) => (i === 0 ? { ...one, ...change } : one)) ?? [],
  })
const other = 'f'.repeat(64)

describe('a contradiction within a record is named', () => {
  test.each<[string, Deletion, readonly string[]]>([
    ['a value above its limit', withEvidence(measured, { value: 7 }), ['attempts[0].evidence[0].accepted']],
    ['a limit below the value', withEvidence(measured, { limit: 0.5 }), ['attempts[0].evidence[0].accepted']],
    [
      'no value',
      withEvidence(measured, { value: null }),
      ['attempts[0].evidence[0].accepted', 'attempts[0].evidence[0].missing'],
    ],
    [
      'a missing figure that counts',
      withEvidence(measured, { missing: 'no gold' }),
      ['attempts[0].evidence[0].accepted'],
    ],
    [
      'an interval in reverse',
      withEvidence(measured, { interval: [1, 0.5] }),
      ['attempts[0].evidence[0].interval'],
    ],
    [
      'a figure that is not accepted',
      withEvidence(measured, { accepted: false }),
      ['attempts[0].evidence[0].accepted', 'attempts[0].outcome'],
    ],
    ['no evidence', withAttempt(measured, 0, { evidence: [] }), ['attempts[0].outcome']],
    [
      'a model before that is within the limit as well',
      withEvidence(measured, { before: { value: 1 } }),
      ['attempts[0].outcome'],
    ],
    [
      'a model before whose figure is missing',
      withEvidence(measured, { before: { value: null, missing: 'no gold' } }),
      ['attempts[0].outcome'],
    ],
    [
      'no figure of the model before',
      withEvidence(measured, { before: undefined }),
      ['attempts[0].evidence[0].before', 'attempts[0].outcome'],
    ],
    [
      'a figure of the model before without a value or a reason',
      withEvidence(replayed, { before: { value: null } }),
      ['attempts[0].evidence[0].before.missing'],
    ],
    [
      'an interval of the model before in reverse',
      withEvidence(measured, { before: { value: 2.5, interval: [3, 2] } }),
      ['attempts[0].evidence[0].before.interval'],
    ],
    [
      'a model before an exact method, which does not start from it',
      withAttempt(replayed, 1, { evidence: measured.attempts[0]?.evidence ?? [] }),
      ['attempts[1].evidence[0].before'],
    ],
    ['no report', withAttempt(measured, 0, { report: undefined }), ['attempts[0].report']],
    ['another claim', { ...measured, claim: 'retrained' }, ['claim']],
    [
      'a claim that another method has',
      { ...withAttempt(measured, 0, { claim: 'retrained' }), claim: 'retrained' },
      ['attempts[0].evidence[0].before', 'attempts[0].claim'],
    ],
    ['no claim', { ...measured, claim: undefined }, ['claim']],
    [
      'a refusal of an accepted attempt',
      { ...measured, state: 'refused' },
      ['state', 'reason', 'model.after', 'data.after'],
    ],
    ['a reason of a refusal', { ...measured, reason: 'too late' }, ['reason']],
    [
      'an attempt after the accepted one',
      { ...measured, attempts: [...measured.attempts, ...refused.attempts] },
      ['attempts[0].outcome', 'state', 'claim'],
    ],
    [
      'evidence that meets the rule after all',
      withEvidence(replayed, { accepted: true }),
      ['attempts[0].evidence[0].accepted'],
    ],
    [
      'a miss without a reason',
      withAttempt(measured, 0, { outcome: 'missed' }),
      ['attempts[0].outcome', 'state', 'claim'],
    ],
    ['a fulfilled refusal', { ...refused, state: 'fulfilled' }, ['state', 'reason']],
    ['a refusal without a reason', { ...refused, reason: undefined }, ['reason']],
    [
      'a refusal that changed the model',
      { ...refused, model: { ...refused.model, after: { sha256: other, bytes: 1 } } },
      ['model.after'],
    ],
    [
      'a refusal that changed the data',
      { ...refused, data: { ...refused.data, after: other } },
      ['data.after'],
    ],
    ['a failure without a reason', withAttempt(refused, 1, { reason: undefined }), ['attempts[1].reason']],
    ['too few samples', { ...measured, forgottenBefore: 2 }, ['forgottenBefore']],
  ])('%s', (_, record, paths) => {
    expect(deletionFlaws(record).map(({ path }) => path)).toEqual(paths)
  })
})

test('a miss within the limits has the reason that the model before is within them as well', () => {
  const within = withEvidence(measured, { before: { value: 1 } })
  const missed = withAttempt(within, 0, { outcome: 'missed', reason: 'the figures are no evidence' })
  const refusal: Deletion = {
    ...missed,
    ...{ state: 'refused', claim: undefined, reason: 'no step is left', forgottenBefore: 0 },
    ...{ model: { ...missed.model, after: missed.model.before } },
    ...{ data: { ...missed.data, after: missed.data.before } },
  }
  expect(deletionFlaws(refusal)).toEqual([])
  expect(deletionFlaws(withAttempt(refusal, 0, { reason: undefined })).map(({ path }) => path)).toEqual([
    'attempts[0].reason',
  ])
})

describe('records of a batch', () => {
  const [first, second, third] = madeBatch(3).map(({ record }) => record)
  if (first?.format !== 2 || second?.format !== 2 || third?.format !== 2) throw new Error('three were made')
  const next = (before: Deletion): Deletion => ({
    ...{ ...replayed, number: before.number + 1, previous: digestOf(before) },
    ...{ model: { ...replayed.model, before: before.model.after } },
    ...{ data: { ...replayed.data, before: before.data.after } },
    forgottenBefore: before.forgottenBefore + 3,
  })

  test('have one model and one outcome, and no flaw; the next request starts from that model', () => {
    const all = [first, second, third, next(third)]
    all.forEach((record, i) => {
      expect(deletionSchema.parse(record)).toEqual(record)
      expect(deletionFlaws(record)).toEqual([])
      expect(chainFlaws(record, all.slice(0, i))).toEqual([])
    })
    expect(new Set([first, second, third].map(({ model }) => model.after.sha256)).size).toBe(1)
    expect(new Set([first, second, third].map(({ forgotten }) => forgotten.root)).size).toBe(3)
  })

  test.each<[string, Deletion, readonly Deletion[], readonly string[]]>([
    ['of one request', { ...first, batch: { first: 1, last: 1 } }, [], ['batch']],
    ['without this request', { ...first, batch: { first: 2, last: 3 } }, [], ['batch', 'batch.first']],
    [
      'whose first record is missing',
      { ...second, previous: null },
      [],
      ['number', 'forgottenBefore', 'batch.first'],
    ],
    ['of other requests', { ...second, batch: { first: 1, last: 2 } }, [first], ['batch']],
    [
      'that a record leaves out',
      { ...second, batch: undefined },
      [first],
      ['batch', 'model.before', 'data.before'],
    ],
    ['that is cut off by a later request', next(second), [first, second], ['batch']],
    [
      'with another model',
      { ...second, model: { ...second.model, after: { sha256: other, bytes: 1 } } },
      [first],
      ['model'],
    ],
    ['with other data', { ...second, data: { ...second.data, after: other } }, [first], ['data']],
    ['with other evidence', withEvidence(second, { value: 0.5 }), [first], ['attempts']],
    ['with another count', { ...third, forgottenBefore: 3 }, [first, second], ['forgottenBefore']],
  ])('a batch %s is named', (_, record, earlier, paths) => {
    const flaws = [...deletionFlaws(record), ...chainFlaws(record, earlier)]
    expect(flaws.map(({ path }) => path)).toEqual(paths)
  })
})

describe('records of the first format', () => {
  const early = madeDeletions(3, 3, 1).map(({ record }) => record)

  test('have no figures of the model before, and no flaw', () => {
    early.forEach((record, i) => {
      expect(deletionSchema.parse(record)).toEqual(record)
      expect(deletionFlaws(record)).toEqual([])
      expect(chainFlaws(record, early.slice(0, i))).toEqual([])
    })
    expect(deletionSchema.safeParse({ ...early[0], attempts: measured.attempts }).success).toBe(false)
  })

  test('may come before later ones, and not after them', () => {
    const [first] = early
    if (!first) throw new Error('not reached')
    const after = (one: Deletion, next: Deletion) =>
      chainFlaws({ ...next, previous: digestOf(one) }, [one]).map(({ path }) => path)
    expect(after(first, replayed)).toEqual([])
    expect(after(measured, early[1] ?? first)).toEqual(['format'])
  })
})

describe('a contradiction with earlier records is named', () => {
  test.each<[string, Deletion, readonly string[]]>([
    ['another number', { ...replayed, number: 3 }, ['number']],
    ['no record before', { ...replayed, previous: null }, ['previous']],
    ['another record before', { ...replayed, previous: other }, ['previous']],
    ['another count', { ...replayed, forgottenBefore: 7 }, ['forgottenBefore']],
    ['another ledger', { ...replayed, ledger: { name: 'other', digest: other } }, ['ledger.name']],
    [
      'another model before',
      { ...replayed, model: { ...replayed.model, before: { sha256: other, bytes: 1 } } },
      ['model.before'],
    ],
    ['other data before', { ...replayed, data: { ...replayed.data, before: other } }, ['data.before']],
  ])('%s', (_, record, paths) => {
    expect(chainFlaws(record, [measured]).map(({ path }) => path)).toEqual(paths)
  })

  test('a changed earlier record', () => {
    const changed = { ...measured, reference: 'case 7' }
    expect(chainFlaws(replayed, [changed])).toEqual([
      {
        path: 'previous',
        message: expect.stringContaining('but the digest of the record before is') as string,
      },
    ])
    expect(chainFlaws(replayed, []).map(({ path }) => path)).toEqual([
      'number',
      'previous',
      'forgottenBefore',
    ])
  })
})
