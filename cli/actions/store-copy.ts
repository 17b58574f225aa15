import { copiedOf, writeCopy, type Copied, type Counts } from '../../artifacts/copy/write-copy.ts'
import { planCopy, type PlannedCopy } from '../../artifacts/copy/plan-copy.ts'
import { planLedgers, writeLedgers, type PlannedLedger } from '../../artifacts/copy/copy-ledgers.ts'
import { openStore } from '../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { reportFlaw, SharedManifests } from '../../activities/stored-outcome.ts'
import { Artifacts } from '../../artifacts/artifacts.ts'
import { storeUrl } from '../../artifacts/store/store-url.ts'
import type { Keep } from '../../artifacts/copy/transfer-plan.ts'
import { size } from '../../common/size.ts'
import { UserError } from '../../common/errors.ts'
import { idsIn } from '../workspace/named-run.ts'
import { showCopy } from '../output/copy-progress.ts'
import { counted } from '../output/format.ts'
import { coloursOf, print, printJson, pathOrUrl } from '../output/print.ts'
import { refuseUnusableStore } from '../launch/usable-store.ts'

interface StoreCopyOptions {
  readonly run?: readonly string[]
  readonly keep?: string
  readonly dryRun?: true
  readonly json?: true
}

/**
 * `zeroshift store copy FROM TO`: copies finished stages, runs and sweeps into another store, and
 * ledgers unless runs are named.
 */
export async function copyStores(
  from: string,
  to: string,
  { run, keep, dryRun, json }: StoreCopyOptions,
): Promise<number> {
  const [source, target] = [from, to].map((location) => openStore(storeUrl(location)))
  if (!source || !target) return 2
  if (realLocation(source) === realLocation(target))
    throw new UserError(`${from} and ${to} are the same store; expected two`)
  const planned = await planCopy(source, target, {
    ...(run && { ids: await idsIn(source, run) }),
    ...keepOption(keep),
    reportFlaw: flawIn(source),
  })
  const ledgers = run ? [] : await planLedgers(source, target)
  await carryOut(planned, { dryRun: dryRun ?? false, json: json ?? false, pages: true })
  if (!dryRun) await writeLedgers(source, target, ledgers)
  printCopied(planned, { dryRun: dryRun ?? false, json: json ?? false, from: source.url, ledgers })
  return 0
}

/** Returns the check of reports that `check` uses. */
export function flawIn(store: ObjectStore): NonNullable<Parameters<typeof planCopy>[2]['reportFlaw']> {
  const manifests = new SharedManifests(new Artifacts(store))
  return (run, text) => reportFlaw(run, text, manifests)
}

/** Throws a UserError if the side is neither of the two. */
export function keepOption(text: string | undefined): { readonly keep?: Keep } {
  if (text === undefined) return {}
  if (text === 'target' || text === 'source') return { keep: text }
  throw new UserError(`--keep: expected target or source, found '${text}'`)
}

export async function carryOut(
  planned: PlannedCopy,
  { dryRun, json, pages }: { readonly dryRun: boolean; readonly json: boolean; readonly pages: boolean },
): Promise<void> {
  if (dryRun) return
  await refuseUnusableStore(planned.to.url)
  const shown = await showCopy(json ? process.stderr : process.stdout)
  try {
    await writeCopy(planned, { pages, onProgress: shown.onProgress })
  } finally {
    shown.end()
  }
}

interface Shown {
  readonly dryRun: boolean
  readonly json: boolean
  readonly from: string
  readonly ledgers?: readonly PlannedLedger[]
}

export function printCopied(planned: PlannedCopy, { dryRun, json, from, ledgers = [] }: Shown): void {
  const copied = copiedOf(planned)
  const { keep, to } = planned
  const names = ledgers.map(({ name }) => name)
  if (json)
    printJson({ from, to: to.url, dryRun, keep, ...copied, ...(names.length > 0 && { ledgers: names }) })
  else {
    for (const line of linesOf(copied, { dryRun, keep, to: pathOrUrl(to.url) })) print(line)
    if (names.length > 0) print(`Ledgers with their requests, records and models: ${names.join(', ')}`)
  }
}

function linesOf(
  { copied, present, conflict }: Copied,
  { dryRun, keep, to }: { readonly dryRun: boolean; readonly keep: Keep; readonly to: string },
): readonly string[] {
  const { yellow, green } = coloursOf(process.stdout)
  const { stages, runs, sweeps } = conflict
  const given = [
    ...(stages.length > 0 ? [counted(stages.length, 'stage')] : []),
    ...(runs.length > 0 ? [`the results of ${runs.join(', ')}`] : []),
    ...(sweeps.length > 0 ? [`the reports of ${sweeps.join(', ')}`] : []),
  ]
  const would = dryRun ? 'would be ' : ''
  return [
    green(`${dryRun ? 'To copy' : 'Copied'} to ${to}: ${countsText(copied)}`),
    `There already: ${countsText(present)}`,
    ...(given.length > 0
      ? [
          yellow(
            keep === 'target'
              ? `Left out, since the target has other results: ${given.join(', ')}`
              : `Of the target, ${would}deleted, since the source has other results: ${given.join(', ')}`,
          ),
        ]
      : []),
  ]
}

function countsText({ runs, sweeps, stages, signatures, blobs, bytes }: Counts): string {
  return [
    counted(runs, 'run'),
    ...(sweeps > 0 ? [counted(sweeps, 'sweep')] : []),
    counted(stages, 'stage'),
    ...(signatures > 0 ? [counted(signatures, 'signature')] : []),
    `${counted(blobs, 'blob')} (${size(bytes)})`,
  ].join(', ')
}

/** Returns where a store really is, since two paths may lead to one directory. */
function realLocation({ url }: ObjectStore): string {
  if (!url.startsWith('file://')) return url
  const directory = fileURLToPath(url)
  try {
    return realpathSync(directory)
  } catch {
    return directory
  }
}
