import { canonicalJson, digestOf } from '../../common/canonical.ts'
import { formatPath, type Path } from '../../common/path.ts'
import { isToldApart, meetsRule } from './acceptance.ts'
import { batchOf, type Attempt, type Batch, type Claim, type Deletion, type Evidence } from './deletion.ts'

/** A part of a record that contradicts another part. */
export interface RecordFlaw {
  /** `attempts[0].evidence[1].accepted` */
  readonly path: string
  readonly message: string
}

/**
 * Returns the contradictions within a record: evidence that does not fit its limit, an outcome or a
 * claim that does not fit the evidence, and a state that does not fit the attempts. Records of the
 * first format have no figures of the model in use before. Pure.
 */
export function deletionFlaws(record: Deletion): readonly RecordFlaw[] {
  const { attempts, state, claim, reason, model, data, forgotten, forgottenBefore } = record
  const accepted = attempts.at(-1)?.outcome === 'accepted' ? attempts.at(-1) : undefined
  const expectedState = accepted ? 'fulfilled' : 'refused'
  const changed = state === 'fulfilled'
  const { first, last } = batchOf(record) ?? { first: record.number, last: record.number + 1 }
  return [
    ...when(
      first >= last || record.number < first || record.number > last,
      ['batch'],
      `it has the requests ${first} to ${last}, and this is request ${record.number}; expected several with this one among them`,
    ),
    ...attempts.flatMap((attempt, i) => attemptFlaws(attempt, ['attempts', i], record.format)),
    ...attempts
      .slice(0, -1)
      .flatMap(({ outcome }, i) =>
        when(
          outcome === 'accepted',
          ['attempts', i, 'outcome'],
          'it is "accepted", but another attempt follows',
        ),
      ),
    ...when(
      state !== expectedState,
      ['state'],
      `it is "${state}", but the last attempt ${accepted ? 'was accepted' : 'was not accepted'}`,
    ),
    ...when(
      claim !== accepted?.claim,
      ['claim'],
      `it is ${shown(claim)}, but the claim of the accepted attempt is ${shown(accepted?.claim)}`,
    ),
    ...when(changed && reason !== undefined, ['reason'], 'a fulfilled request has no reason of a refusal'),
    ...when(!changed && reason === undefined, ['reason'], 'a refused request has a reason'),
    ...when(
      !changed && model.after.sha256 !== model.before.sha256,
      ['model', 'after'],
      'the request was refused, but the model is another one than before',
    ),
    ...when(
      !changed && data.after !== data.before,
      ['data', 'after'],
      'the request was refused, but the data is not the same as before',
    ),
    ...when(
      changed && forgottenBefore < forgotten.samples,
      ['forgottenBefore'],
      `it is ${forgottenBefore}, but this request alone has ${forgotten.samples} samples`,
    ),
  ]
}

/**
 * Returns the contradictions of a record with the records of all earlier requests of its ledger,
 * which are in their order. Pure.
 */
export function chainFlaws(record: Deletion, earlier: readonly Deletion[]): readonly RecordFlaw[] {
  const before = earlier.at(-1)
  const previous = before ? digestOf(before) : null
  const samples = [...earlier, record]
    .filter(({ state }) => state === 'fulfilled')
    .reduce((sum, { forgotten }) => sum + forgotten.samples, 0)
  return [
    ...when(
      record.number !== earlier.length + 1,
      ['number'],
      `it is ${record.number}, but ${earlier.length} records come before`,
    ),
    ...when(
      record.previous !== previous,
      ['previous'],
      `it is ${record.previous ?? 'null'}, but the digest of the record before is ${previous ?? 'null, since there is none'}`,
    ),
    ...when(
      record.forgottenBefore !== samples,
      ['forgottenBefore'],
      `it is ${record.forgottenBefore}, but the fulfilled requests have ${samples} samples`,
    ),
    ...(before ? followingFlaws(record, before) : startingFlaws(record)),
  ]
}

/** The first record of a ledger is that of no later request of a batch. */
function startingFlaws(record: Deletion): readonly RecordFlaw[] {
  const { first } = batchOf(record) ?? {}
  return when(
    first !== undefined && first !== record.number,
    ['batch', 'first'],
    `it is ${first ?? ''}, but no record comes before`,
  )
}

/** The contradictions of a record with the one before it. */
function followingFlaws(record: Deletion, before: Deletion): readonly RecordFlaw[] {
  const [own, theirs] = [batchOf(record), batchOf(before)]
  const isSettled = own !== undefined && own.first < record.number
  const isOpen = theirs !== undefined && theirs.last > before.number
  return [
    ...when(
      record.format < before.format,
      ['format'],
      `it is ${record.format}, but the record before has the later format ${before.format}`,
    ),
    ...when(
      record.ledger.name !== before.ledger.name,
      ['ledger', 'name'],
      `it is "${record.ledger.name}", but the record before is of "${before.ledger.name}"`,
    ),
    ...when(
      (isSettled || isOpen) && canonicalJson(own ?? null) !== canonicalJson(theirs ?? null),
      ['batch'],
      `it is ${batchText(own)}, but that of the record before is ${batchText(theirs)}`,
    ),
    ...(isSettled ? togetherFlaws(record, before) : continuationFlaws(record, before)),
  ]
}

/** Requests of a batch are settled by one outcome. */
function togetherFlaws(record: Deletion, before: Deletion): readonly RecordFlaw[] {
  return sharedParts.flatMap((part) =>
    when(
      canonicalJson(record[part] ?? null) !== canonicalJson(before[part] ?? null),
      [part],
      'it is not that of the record before, which was settled together with this one',
    ),
  )
}

/** The parts that the records of a batch have in common. */
const sharedParts = [
  'data',
  'model',
  'code',
  'device',
  'attempts',
  'state',
  'claim',
  'reason',
  'notTested',
] as const

function continuationFlaws(record: Deletion, before: Deletion): readonly RecordFlaw[] {
  return [
    ...when(
      record.model.before.sha256 !== before.model.after.sha256,
      ['model', 'before'],
      'it is not the model after the request before',
    ),
    ...when(
      record.data.before !== before.data.after,
      ['data', 'before'],
      'it is not the data after the request before',
    ),
  ]
}

const batchText = (batch: Batch | undefined) =>
  batch ? `the requests ${batch.first} to ${batch.last}` : 'absent'

/** The claim that the methods with a claim of their own have. All other methods are measured. */
const claimsOf: Readonly<Record<string, Claim>> = { retrain: 'retrained', replay: 'replayed', sisa: 'sisa' }

function attemptFlaws(attempt: Attempt, path: Path, format: Deletion['format']): readonly RecordFlaw[] {
  const { method, claim, evidence, outcome, report, reason } = attempt
  const expected = claimsOf[method] ?? 'measured'
  const isMet = meetsRule(evidence)
  const isCompared = format > 1 && claim === 'measured'
  const isShown = isMet && (!isCompared || isToldApart(evidence))
  return [
    ...evidence.flatMap((one, i) => evidenceFlaws(one, [...path, 'evidence', i])),
    ...evidence.flatMap(({ before }, i) =>
      beforeFlaws(before, isCompared, [...path, 'evidence', i, 'before']),
    ),
    ...when(
      claim !== expected,
      [...path, 'claim'],
      `it is "${claim}", but the claim of the method ${method} is "${expected}"`,
    ),
    ...when(
      outcome === 'accepted' && claim === 'measured' && !isMet,
      [...path, 'outcome'],
      'it is "accepted", but the evidence does not meet the acceptance rule',
    ),
    ...when(
      outcome === 'accepted' && claim === 'measured' && isMet && !isShown,
      [...path, 'outcome'],
      'it is "accepted", but the model in use before meets the acceptance rule as well, or its figures are missing',
    ),
    ...when(
      outcome === 'missed' && isShown,
      [...path, 'outcome'],
      'it is "missed", but the evidence meets the acceptance rule',
    ),
    ...when(
      outcome === 'missed' && isMet && !isShown && reason === undefined,
      [...path, 'reason'],
      'a miss although all figures are within their limits has a reason',
    ),
    ...when(
      outcome !== 'failed' && report === undefined,
      [...path, 'report'],
      'it is missing, but the attempt did not fail',
    ),
    ...when(
      outcome === 'failed' && reason === undefined,
      [...path, 'reason'],
      'a failed attempt has a reason',
    ),
  ]
}

/** Only approximate methods start from the model in use, so that only they are compared with it. */
function beforeFlaws(before: Evidence['before'], isCompared: boolean, path: Path): readonly RecordFlaw[] {
  if (!before) return when(isCompared, path, 'the figure of the model in use before is missing')
  const { value, interval, missing } = before
  return [
    ...when(!isCompared, path, 'no model was in use before that this method started from'),
    ...when(
      (value === null) !== (missing !== undefined),
      [...path, 'missing'],
      'a figure without a value has the reason why, and no other one has',
    ),
    ...intervalFlaws(interval, [...path, 'interval']),
  ]
}

function intervalFlaws(interval: Evidence['interval'], path: Path): readonly RecordFlaw[] {
  return when(interval !== undefined && interval[0] > interval[1], path, 'its first end is above its second')
}

function evidenceFlaws(
  { value, interval, limit, accepted, missing }: Evidence,
  path: Path,
): readonly RecordFlaw[] {
  const isWithin = missing === undefined && value !== null && value <= limit
  return [
    ...when(
      accepted !== isWithin,
      [...path, 'accepted'],
      `it is ${accepted}, but the value is ${value ?? 'missing'} and the limit ${limit}`,
    ),
    ...when(
      value === null && missing === undefined,
      [...path, 'missing'],
      'a figure without a value has the reason why',
    ),
    ...intervalFlaws(interval, [...path, 'interval']),
  ]
}

function when(isWrong: boolean, path: Path, message: string): readonly RecordFlaw[] {
  return isWrong ? [{ path: formatPath(path), message }] : []
}

const shown = (claim: Claim | undefined) => (claim === undefined ? 'missing' : `"${claim}"`)
