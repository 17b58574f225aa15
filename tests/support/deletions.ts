import { createHash } from 'node:crypto'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { putDeletion, putLedger, putRequest } from '../../artifacts/stored-ledgers.ts'
import { digestOf, sha256 } from '../../common/canonical.ts'
import type { Attempt, Deletion, DeletionNotes, Evidence } from '../../experiment/records/deletion.ts'
import { merkleRoot } from '../../signatures/merkle.ts'
import { ledgerSpec } from '../unit/experiment/ledger/ledgers.ts'
import { digitFacts } from '../unit/experiment/sample.ts'

/** A settled request of a made-up ledger, with the bytes of the model afterwards. */
export interface MadeDeletion {
  readonly record: Deletion
  readonly notes: DeletionNotes
  readonly model: Buffer
}

export const madeLedger = 'clinic'

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

/** The model in use before is above the limit. */
const before = { value: 2.5, interval: [2, 3] } satisfies Evidence['before']

const missed: Attempt = {
  ...{ label: 'rfa', method: 'rfa', run: 'clinic-rfa-01234567', report: digest('report'), claim: 'measured' },
  evidence: [
    {
      ...{ figure: 'averageGap', value: 1.5, interval: [1.25, 1.75], floor: 0.5, before },
      ...{ limit: 1, accepted: false },
    },
    {
      ...{ figure: 'klom95', value: null, limit: 2, accepted: false, missing: 'there is one gold model' },
      before: { value: null, missing: 'there is one gold model' },
    },
  ],
  outcome: 'missed',
  cost: { samples: 1200, retraining: 48000 },
}
const measured: Attempt = {
  ...missed,
  evidence: [
    {
      ...{ figure: 'averageGap', value: 0.75, interval: [0.5, 1], floor: 0.5, before },
      ...{ limit: 1, accepted: true },
    },
  ],
  outcome: 'accepted',
}
const replayed: Attempt = {
  ...{ label: 'replay', method: 'replay', run: 'clinic-replay-01234567', report: digest('replay') },
  ...{ claim: 'replayed', evidence: [], outcome: 'accepted', cost: { samples: 9000, retraining: 48000 } },
}
const failed: Attempt = {
  ...{ label: 'replay', method: 'replay', run: 'clinic-replay-89abcdef', claim: 'replayed', evidence: [] },
  ...{ outcome: 'failed', reason: 'the loss is not finite' },
}

const ladders: readonly (readonly Attempt[])[] = [[measured], [missed, replayed], [missed, failed]]

/**
 * Returns a sequence of requests that are measured, replayed and refused, in turn. `format` is that
 * of the records.
 */
export function madeDeletions(
  count: number,
  samples = 3,
  format: Deletion['format'] = 2,
): readonly MadeDeletion[] {
  const made: MadeDeletion[] = []
  for (let number = 1; number <= count; number++) {
    const before = made.at(-1)
    const ladder = ladders[(number - 1) % ladders.length] ?? []
    const accepted = ladder.find(({ outcome }) => outcome === 'accepted')
    const model = accepted ? Buffer.from(`model ${number}`) : (before?.model ?? Buffer.from('original'))
    const salt = digest(`salt ${number}`)
    const own = Array.from({ length: samples }, (_, i) => ({
      id: `patient-${number}-${i}.png`,
      index: number * 100 + i,
    }))
    const blobs = { before: blobOf(before?.model ?? Buffer.from('original')), after: blobOf(model) }
    const data = before?.record.data.after ?? digest('data')
    made.push({
      model,
      record: {
        ...{ number, reference: `case 2026-${number}` },
        ...inFormat(format, ladder),
        ledger: { name: madeLedger, digest: digest('config') },
        previous: before ? digestOf(before.record) : null,
        forgotten: {
          root: merkleRoot(
            salt,
            own.map(({ id }) => id),
          ),
          samples,
        },
        forgottenBefore: (before?.record.forgottenBefore ?? 0) + (accepted ? samples : 0),
        data: { dataset: digest('dataset'), before: data, after: accepted ? digest(`data ${number}`) : data },
        model: blobs,
        device: { name: 'a processor', threads: 2 },
        ...(accepted
          ? { state: 'fulfilled' as const, claim: accepted.claim }
          : { state: 'refused' as const, reason: 'no step of the ladder is left' }),
        notTested: ['shadow: membership inference with shadow models (LiRA and RMIA)'],
      },
      notes: {
        ...{ received: '2026-11-01T08:00:00.000Z', finished: '2026-11-01T09:30:00.000Z' },
        ...{ salt, samples: own },
      },
    })
  }
  return made
}

/** Returns requests that are settled together, by the attempts and the model of the first one. */
export function madeBatch(count: number): readonly MadeDeletion[] {
  const others = madeDeletions(count)
  const [first] = others
  if (first?.record.format !== 2) throw new Error('a batch has several requests of the second format')
  const batch = { first: 1, last: count }
  const made: MadeDeletion[] = []
  for (const { record, notes } of others) {
    const before = made.at(-1)?.record
    made.push({
      ...{ model: first.model, notes },
      record: {
        ...{ ...first.record, batch, number: record.number, reference: record.reference },
        ...{ previous: before ? digestOf(before) : null, forgotten: record.forgotten },
        forgottenBefore: (before?.forgottenBefore ?? 0) + record.forgotten.samples,
      },
    })
  }
  return made
}

/** The parts of a record that differ between its formats. */
function inFormat(format: Deletion['format'], attempts: readonly Attempt[]) {
  if (format === 2) {
    const stages = { train: { version: 1, digest: digest('code of train') } }
    return { format, code: { version: '0123456789ab', stages }, attempts: [...attempts] }
  }
  const early = attempts.map((attempt) => ({
    ...attempt,
    evidence: attempt.evidence.map(({ before: _, ...one }) => one),
  }))
  return { format, code: '0123456789ab', attempts: early }
}

/** Writes the ledger with the given settled requests and their models. */
export async function putDeletions(artifacts: Artifacts, made: readonly MadeDeletion[]): Promise<void> {
  const spec = { ...ledgerSpec(), name: madeLedger }
  const ledger = { format: 1, name: madeLedger, digest: digestOf(spec), spec, facts: digitFacts } as const
  await putLedger(artifacts, { ...ledger, config: 'clinic.yaml', settings: {} })
  for (const { record, notes, model } of made) {
    const { number, reference } = record
    const { received, salt, samples } = notes
    await artifacts.putBlob(model)
    await putRequest(artifacts, madeLedger, { number, reference, received, salt, samples })
    await putDeletion(artifacts, madeLedger, record, notes)
  }
}

function blobOf(bytes: Buffer): Deletion['model']['after'] {
  return { sha256: sha256(bytes), bytes: bytes.length }
}
