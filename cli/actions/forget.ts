import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { readLedger, readRequests } from '../../artifacts/stored-ledgers.ts'
import { UserError } from '../../common/errors.ts'
import type { LedgerResult } from '../../experiment/ledger/ledger.ts'
import { quoted } from '../../report/command.ts'
import { withServer, type LaunchOptions } from '../launch/command-server.ts'
import { createInspection } from '../launch/inspection.ts'
import { launchLedger, watchLedger } from '../launch/launch-ledger.ts'
import { prepareLedger, readLedgerConfig, requestedSamples } from '../launch/prepare-ledger.ts'
import { checkRequest, newSalt, queueRequest, refuseOtherLedger } from '../launch/queue-request.ts'
import { refuseUnusableStore } from '../launch/usable-store.ts'
import { interrupted, type Outcome } from '../launch/watch-workflow.ts'
import { counted } from '../output/format.ts'
import { attemptLines, ledgerRow } from '../output/ledger-rows.ts'
import { withOutput, type Output } from '../output/output.ts'
import { coloursOf, printError } from '../output/print.ts'
import { refuseNonDirectory } from '../workspace/existing-store.ts'

interface ForgetOptions extends LaunchOptions {
  readonly names?: string
  readonly indices?: string
  readonly reference?: string
  readonly queued?: true
  readonly now?: true
  readonly store?: string
}

const MOST_REFERENCE = 200

/**
 * `zeroshift forget CONFIG`: queues a deletion request, and waits until all queued requests are
 * settled. Returns 0 if the request was fulfilled, and 1 if it was refused.
 */
export function forget(config: string, options: ForgetOptions): Promise<number> {
  return withOutput(options, async (output) => {
    const reference = referenceOf(options)
    const parsed = await readLedgerConfig(config)
    if (options.now && parsed.spec.batch === undefined)
      throw new UserError(
        `--now: the ledger ${parsed.spec.name} fulfils each request at once, since ${config} has no batch; leave it out`,
      )
    const inspect = createInspection(output.printLine)
    const prepared = await prepareLedger({ config, store: options.store }, parsed, inspect)
    const { record, store } = prepared
    await refuseNonDirectory(store, { mayBeMissing: true })
    const artifacts = openArtifacts(store)
    const request =
      reference === undefined
        ? undefined
        : {
            reference,
            received: new Date().toISOString(),
            salt: newSalt(),
            samples: await requestedSamples(options, prepared, inspect),
          }
    // All checks come before anything is started. They are made again when the request is written.
    if (request) await checkRequest(artifacts, prepared, request)
    else await refuseWithoutQueue(artifacts, prepared.record)

    return withServer(store, options, output, async (server) => {
      server.start()
      await refuseUnusableStore(store)
      const number = request && (await queueRequest(artifacts, prepared, request)).number
      if (number !== undefined && request)
        output.printLine(
          `Request ${number} ("${request.reference}") of the ledger ${record.name}: ${counted(request.samples.length, 'sample')} to forget.`,
        )
      const launched = await launchLedger({ name: record.name, store }, options, server)
      if (launched && options.detach) {
        output.printLine(`It is queued. Follow it with: ./zeroshift ledger ${quoted(config)}`)
        return output.answer(0, {
          id: record.name,
          status: 'running',
          request: await rowOf(artifacts, record.name, number),
        })
      }
      const outcome = launched ? await watchLedger(launched, server) : interrupted
      return summarise({ artifacts, name: record.name, config, number }, outcome, output)
    })
  })
}

/** The reference of the request. Undefined if `--queued` asks for none. Throws a UserError. */
function referenceOf({ names, indices, reference, queued }: ForgetOptions): string | undefined {
  const given = [names, indices].filter((one) => one !== undefined).length
  if (queued) {
    if (given > 0 || reference !== undefined)
      throw new UserError('--queued makes no request; leave --names, --indices and --reference out')
    return undefined
  }
  if (given !== 1)
    throw new UserError(
      `a request names its samples by either --names FILE or --indices 3,5; ${given === 0 ? 'neither' : 'both'} given`,
    )
  const text = reference?.trim() ?? ''
  if (text === '' || text.length > MOST_REFERENCE || /\p{Cc}/u.test(text))
    throw new UserError(
      `--reference: expected one line of 1 to ${MOST_REFERENCE} characters, such as --reference "case 2026-117", found ${text === '' ? 'none' : JSON.stringify(text.slice(0, 60))}`,
    )
  return text
}

async function refuseWithoutQueue(
  artifacts: Artifacts,
  ledger: Parameters<typeof refuseOtherLedger>[1],
): Promise<void> {
  if (!(await readLedger(artifacts, ledger.name)))
    throw new UserError(
      `the store ${artifacts.store.url} has no ledger '${ledger.name}'; its first request begins it: --indices or --names, and --reference`,
    )
  await refuseOtherLedger(artifacts, ledger)
}

async function rowOf(artifacts: Artifacts, name: string, number: number | undefined) {
  const found = (await readRequests(artifacts, name)).find(({ request }) => request.number === number)
  return found ? ledgerRow(found) : null
}

interface Asked {
  readonly artifacts: Artifacts
  readonly name: string
  readonly config: string
  /** The number of the request. Undefined with `--queued`. */
  readonly number: number | undefined
}

/** Prints how the request was settled. Returns the exit code. */
async function summarise(
  { artifacts, name, config, number }: Asked,
  outcome: Outcome<LedgerResult>,
  output: Output,
): Promise<number> {
  const request = await rowOf(artifacts, name, number)
  const again = `./zeroshift forget ${quoted(config)} --queued`
  if (outcome.status === 'failed') {
    printError(coloursOf(process.stderr).red(`${name} failed: ${outcome.reason}`))
    printError(`The requests stay queued. Once that is put right: ${again}`)
    return output.answer(1, { id: name, status: 'failed', error: outcome.reason, request })
  }
  if (outcome.status === 'cancelled') {
    output.printLine(
      `${name} was stopped. The requests stay queued, and what is done is kept. To go on: ${again}`,
    )
    return output.answer(1, { id: name, status: 'cancelled', request })
  }
  if (!request) {
    output.printLine(`${name}: all requests are settled.`)
    return output.answer(0, { id: name, status: 'completed', request })
  }
  for (const line of attemptLines(request)) output.printLine(`  ${line}`)
  const end =
    request.state === 'fulfilled' ? `fulfilled, ${request.claim ?? ''}` : `refused: ${request.reason ?? ''}`
  output.printLine(`Request ${request.number} ("${request.reference}") was ${end}`)
  return output.answer(request.state === 'fulfilled' ? 0 : 1, { id: name, status: 'completed', request })
}
