import type { Artifacts } from '../../artifacts/artifacts.ts'
import { putDeletion, putLedger, putRequest } from '../../artifacts/stored-ledgers.ts'
import { digestOf } from '../../common/canonical.ts'
import type { LedgerRecord } from '../../experiment/ledger/ledger.ts'
import type { Deletion } from '../../experiment/records/deletion.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { ledgerSpec } from '../unit/experiment/ledger/ledgers.ts'
import { digitFacts } from '../unit/experiment/sample.ts'
import { madeDeletions, madeLedger } from './deletions.ts'
import { storeStage } from './library.ts'
import { sampleRun } from './run.ts'

/** The bytes of a forgotten sample, in the data and in all that is computed from it. */
export const pixels = 'PIXELS-OF-A-FORGOTTEN-SAMPLE'

export const madeLedgerRecord: LedgerRecord = {
  format: 1,
  name: madeLedger,
  digest: '0'.repeat(64),
  spec: ledgerSpec(),
  facts: digitFacts,
  config: 'clinic.yaml',
  settings: {},
}

/** Two requests were fulfilled, the second one by the second step. */
const [first, second] = madeDeletions(2)
if (!first || !second) throw new Error('two requests were made')
export const modelInUse = second.model

/** The steps of the ledger. They share the data set. */
export const steps: readonly RunRecord[] = ['1-1', '2-1', '2-2'].map((step, seed) => {
  const { run } = sampleRun({ name: `${madeLedger}-${step}`, seed })
  return { ...run, command: { ...run.command, ledger: madeLedger } }
})

/** Stores the stages of a run. All blobs but the model in use contain the forgotten pixels. */
export async function storePixels(artifacts: Artifacts, run: RunRecord): Promise<void> {
  const made = run.id === steps.at(-1)?.id ? run.plan.candidates.at(-1)?.model.key : undefined
  for (const stage of stagesOf(run.plan))
    await storeStage(
      artifacts,
      stage,
      stage.key === made ? modelInUse.toString() : `${pixels} in ${stage.key}`,
    )
  await artifacts.putRun(run)
}

/** Writes a ledger with two fulfilled requests, its steps and its models into a store. */
export async function storePurgeable(artifacts: Artifacts): Promise<void> {
  if (!first || !second) return
  for (const run of steps) await storePixels(artifacts, run)
  await artifacts.putBlob(Buffer.from('original'))
  for (const { model } of [first, second]) await artifacts.putBlob(model)
  await putLedger(artifacts, madeLedgerRecord)
  let previous: Deletion | undefined
  for (const { record, notes } of [first, second]) {
    const { received, salt, samples } = notes
    const { number, reference } = record
    await putRequest(artifacts, madeLedger, { number, reference, received, salt, samples })
    const attempts = record.attempts.map((attempt, i) => ({
      ...attempt,
      run: steps[number - 1 + i]?.id ?? '',
    }))
    previous = { ...record, attempts, previous: previous ? digestOf(previous) : null }
    await putDeletion(artifacts, madeLedger, previous, notes)
  }
}
