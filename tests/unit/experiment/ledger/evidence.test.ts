import { describe, expect, test } from 'vitest'
import { claimOf, evidenceOf, judgementOf, refusalOf } from '../../../../experiment/ledger/evidence.ts'
import { notTested } from '../../../../experiment/ledger/not-tested.ts'
import { requestProblems } from '../../../../experiment/ledger/refused-request.ts'
import { metricColumns, type Figure, type ResultRow } from '../../../../experiment/records/results.ts'
import { ledgerSpec, record, request } from './ledgers.ts'

function row(figures: Partial<Record<keyof ResultRow['metrics'], Figure>>): Pick<ResultRow, 'metrics'> {
  const all = Object.keys(metricColumns).map((name) => [name, { missing: 'not measured' }])
  return { metrics: { ...(Object.fromEntries(all) as ResultRow['metrics']), ...figures } }
}
const gap = (value: number) => row({ averageGap: { value } })

test.each([
  ['a number', { atMost: 3 }, 3, [], { limit: 3, accepted: true }],
  ['a number that is exceeded', { atMost: 3 }, 3.1, [1], { limit: 3, accepted: false, floor: 1 }],
  ['a multiple of the floor', { atMost: { floor: 1.5 } }, 3, [2], { limit: 3, accepted: true, floor: 2 }],
  ['the mean of several floors', { atMost: { floor: 1 } }, 3, [2, 4], { limit: 3, accepted: true, floor: 3 }],
  [
    'a floor that is missing',
    { atMost: { floor: 1 } },
    0,
    [],
    {
      limit: 0,
      accepted: false,
      missing: 'the figure of the second gold model, which the limit depends on, is missing',
    },
  ],
])('the limit is %s', (_, rule, value, floor, expected) => {
  expect(evidenceOf({ averageGap: rule }, gap(value), floor.map(gap))).toEqual([
    { figure: 'averageGap', value, ...expected },
  ])
})

test('a figure that is missing is not accepted, whatever the limit', () => {
  const [evidence] = evidenceOf({ jsDivergence: { atMost: 1 } }, gap(0), [])
  expect(evidence).toMatchObject({ value: null, accepted: false, missing: 'not measured' })
})

test('intervals of several seeds are kept', () => {
  const [evidence] = evidenceOf(
    { averageGap: { atMost: 3 } },
    row({ averageGap: { value: 2, n: 3, interval: 0.5 } }),
    [],
  )
  expect(evidence?.interval).toEqual([1.5, 2.5])
})

test('exact methods are accepted by construction, others by all figures of the rule', () => {
  const [good, bad] = [1, 5].flatMap((value) =>
    evidenceOf({ averageGap: { atMost: 3 } }, gap(value), [], gap(4)),
  )
  if (!good || !bad) throw new Error('not reached')
  expect(judgementOf('retrain', [bad])).toEqual({ outcome: 'accepted' })
  expect(judgementOf('replay', [])).toEqual({ outcome: 'accepted' })
  expect(judgementOf('rfa', [])).toEqual({ outcome: 'missed' })
  expect(judgementOf('rfa', [good])).toEqual({ outcome: 'accepted' })
  expect(judgementOf('rfa', [good, bad])).toEqual({ outcome: 'missed' })
  expect(['retrain', 'replay', 'rfa'].map(claimOf)).toEqual(['retrained', 'replayed', 'measured'])
})

describe('a rule that the model in use before meets as well shows nothing', () => {
  const rule = { averageGap: { atMost: 3 }, validationGap: { atMost: 1 } }
  const both = (averageGap: Figure, validationGap: Figure) => row({ averageGap, validationGap })
  const own = both({ value: 2 }, { value: 0.5 })
  const judged = (before: ReturnType<typeof row>) => judgementOf('rfa', evidenceOf(rule, own, [], before))

  test('one figure above its limit is enough to tell the models apart', () => {
    expect(judged(both({ value: 3.1 }, { value: 0.2 }))).toEqual({ outcome: 'accepted' })
  })

  test('a figure at its limit is within it', () => {
    expect(judged(both({ value: 3 }, { value: 0.2 }))).toEqual({
      outcome: 'missed',
      reason:
        'the model in use before meets the rule as well, so that the figures do not show that anything was forgotten',
    })
  })

  test('a figure that is missing tells nothing apart', () => {
    expect(judged(both({ missing: 'no gold' }, { value: 0.2 }))).toEqual({
      outcome: 'missed',
      reason:
        'no figure of the model in use before is known to be above its limit (missing are averageGap: no gold), so that the figures do not show that anything was forgotten',
    })
    expect(judged(both({ missing: 'no gold' }, { value: 1.2 }))).toEqual({ outcome: 'accepted' })
    expect(judgementOf('rfa', evidenceOf(rule, own, []))).toMatchObject({ outcome: 'missed' })
  })

  test('the figures are recorded with their intervals', () => {
    const before = row({ averageGap: { value: 2, n: 3, interval: 0.5 } })
    expect(evidenceOf({ averageGap: { atMost: 3 } }, gap(1), [], before)).toMatchObject([
      { value: 1, before: { value: 2, interval: [1.5, 2.5] } },
    ])
  })
})

test('a refusal names what each step missed, or why it failed', () => {
  const evidence = evidenceOf({ averageGap: { atMost: 3 } }, gap(5.123456), [])
  const attempt = { method: 'rfa', run: 'r', claim: 'measured' as const }
  const reason = refusalOf([
    { ...attempt, label: 'rfa', evidence, outcome: 'missed' },
    { ...attempt, label: 'other', evidence: [], outcome: 'failed', reason: 'the loss is not finite' },
    { ...attempt, label: 'third', evidence, outcome: 'missed', reason: 'the figures are no evidence' },
  ])
  expect(reason).toBe(
    'no step of the ladder is left: rfa missed averageGap (5.123, at most 3); other failed: the loss is not finite; third was not accepted: the figures are no evidence',
  )
})

test('what is not tested depends on the sections of the ledger', () => {
  const spec = ledgerSpec()
  const all = notTested(spec).join('\n')
  expect(all).toMatch(/shadow models[^]*relearn: fine-tunes[^]*probe[^]*backups/)
  expect(all).not.toContain('on request')
  expect(notTested({ ...spec, shadow: { models: 8 } }).join('\n')).not.toContain('shadow models')
  expect(notTested({ ...spec, gold: { models: 0 } }).join('\n')).toContain('no model is trained without')
})

test('requests of forgotten or queued samples and of known references are refused', () => {
  const earlier = [
    { request: request(1, [3]), record: record(1, 'fulfilled', 'b') },
    { request: request(2, [5]), record: record(2, 'refused', 'b') },
    { request: request(3, [7]) },
  ]
  const problems = (number: number, indices: readonly number[]) =>
    requestProblems(request(number, indices), earlier).map(({ message }) => message)
  expect(problems(4, [5, 9])).toEqual([])
  expect(problems(2, [5])).toEqual([])
  expect(problems(1, [9])).toEqual([
    expect.stringContaining('the reference "case 1" is that of request 1 already'),
  ])
  expect(problems(4, [3, 7])).toEqual([
    expect.stringContaining('sample 3 was forgotten by request 1 ("case 1") already'),
    expect.stringContaining('sample 7 is part of request 3 ("case 3"), which is not settled yet'),
  ])
  const many = Array.from({ length: 12 }, (_, i) => i)
  const taken = [{ request: request(1, many) }]
  expect(requestProblems(request(2, many), taken).at(-1)?.message).toBe('2 more of them are like these')
})
