import { randomBytes } from 'node:crypto'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { putLedger, putRequest, readLedger, readRequests } from '../../artifacts/stored-ledgers.ts'
import { differences } from '../../common/differences.ts'
import { UserError } from '../../common/errors.ts'
import type { DeletionRequest, LedgerRecord } from '../../experiment/ledger/ledger.ts'
import { requestProblems } from '../../experiment/ledger/refused-request.ts'
import { stateAfter } from '../../experiment/ledger/state.ts'
import type { PreparedLedger } from './prepare-ledger.ts'

/** A request before it has a number. */
export type NewRequest = Omit<DeletionRequest, 'number'>

/** Returns 32 random bytes in hexadecimal. */
export function newSalt(): string {
  return randomBytes(32).toString('hex')
}

/**
 * Checks a request against the ledger in the store and its earlier requests, and returns its
 * number. Writes nothing. Throws a UserError.
 */
export async function checkRequest(
  artifacts: Artifacts,
  { record, check }: Pick<PreparedLedger, 'record' | 'check'>,
  request: NewRequest,
): Promise<number> {
  await refuseOtherLedger(artifacts, record)
  const earlier = await readRequests(artifacts, record.name)
  const problems = requestProblems(request, earlier)
  if (problems.length > 0) throw new UserError(problems)
  const { forgotten } = stateAfter(
    earlier.flatMap(({ request, record }) => (record ? [{ request, record }] : [])),
  )
  const queued = earlier.flatMap(({ request, record }) => (record ? [] : request.samples))
  check([...forgotten, ...[...queued, ...request.samples].map(({ index }) => index)])
  return (earlier.at(-1)?.request.number ?? 0) + 1
}

/**
 * Writes a request into the queue of a ledger, and the ledger itself with its first request.
 * Returns the request with its number. Throws a UserError as `checkRequest` does.
 */
export async function queueRequest(
  artifacts: Artifacts,
  prepared: Pick<PreparedLedger, 'record' | 'check'>,
  request: NewRequest,
): Promise<DeletionRequest> {
  const { record } = prepared
  for (;;) {
    const numbered = { number: await checkRequest(artifacts, prepared, request), ...request }
    await putLedger(artifacts, record)
    // Another command may have begun the ledger by other rules.
    await refuseOtherLedger(artifacts, record)
    // Another command may have taken the number. The checks are then made again.
    if (await putRequest(artifacts, record.name, numbered)) return numbered
  }
}

/**
 * Refuses a config that is not the one of the ledger in the store: all requests of a ledger are
 * fulfilled by the same rules. Throws a UserError.
 */
export async function refuseOtherLedger(artifacts: Artifacts, ledger: LedgerRecord): Promise<void> {
  const stored = await readLedger(artifacts, ledger.name)
  if (!stored) return
  const changes = [...differences(stored.spec, ledger.spec), ...differences(stored.facts, ledger.facts)]
  if (changes.length === 0) return
  throw new UserError([
    {
      file: ledger.config,
      message: `this is not the config with which the ledger ${ledger.name} in ${artifacts.store.url} began, whose rules hold for all of its requests:`,
    },
    ...changes.map(({ path, before, after }) => ({ message: `  ${path}: ${before}, now ${after}` })),
    { message: 'Undo the change, or give the config another name, which begins another ledger' },
  ])
}
