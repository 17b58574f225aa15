import type { LedgerSpec } from '../../../../experiment/ledger/spec.ts'
import { parseLedger } from '../../../../experiment/ledger/config.ts'
import type { DeletionRequest } from '../../../../experiment/ledger/ledger.ts'
import type { Deletion } from '../../../../experiment/records/deletion.ts'

/** A whole config of a ledger; the line numbers in tests count from its first line. */
export const sampleLedger = `name: sample
data: { name: digits, validation: 0.1 }
model: { name: mlp, hidden: [8] }
training: { epochs: 1, replay: { checkpoints: 2 } }
gold: { models: 2 }
ladder:
  - { method: finetune, epochs: 1 }
  - { method: replay }
  - { method: retrain }
accept:
  averageGap: { atMost: 3 }
`

export function ledgerSpec(text = sampleLedger): LedgerSpec {
  return parseLedger({ file: 'ledger.yaml', text }).spec
}

export const model = (digit: string) => ({ sha256: digit.repeat(64), bytes: 10 })

export function request(number: number, indices: readonly number[]): DeletionRequest {
  return {
    number,
    reference: `case ${number}`,
    received: '2026-11-30T12:00:00.000Z',
    salt: 'ab'.repeat(32),
    samples: indices.map((index) => ({ id: String(index), index })),
  }
}

/** The record of a request that started from model a and led to the given one. */
export function record(number: number, state: Deletion['state'], after: string): Deletion {
  const hash = '0'.repeat(64)
  return {
    format: 1,
    ledger: { name: 'sample', digest: hash },
    number,
    reference: `case ${number}`,
    previous: null,
    forgotten: { root: hash, samples: 1 },
    forgottenBefore: 1,
    data: { dataset: hash, before: hash, after: hash },
    model: { before: model('a'), after: model(after) },
    code: '1.0.0',
    device: { name: 'processor', threads: 2 },
    attempts: [],
    state,
    notTested: [],
  }
}
