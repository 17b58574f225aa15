import type { Damage } from '../../artifacts/check/damage.ts'
import { reportFlaw, SharedManifests } from '../../activities/stored-outcome.ts'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { checkStore, deleteDamage, type CheckedStore } from '../../artifacts/check/check-store.ts'
import type { DemandedSignatures } from '../../artifacts/check/check-signatures.ts'
import { storeClock } from '../../artifacts/store/store-clock.ts'
import { refuseLaterFormat } from '../../artifacts/format/store-format.ts'
import { size } from '../../common/size.ts'
import { UserError } from '../../common/errors.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { withDeletionLock } from '../workspace/store-deletion.ts'
import { refuseNonDirectory } from '../workspace/existing-store.ts'
import { noteCheck } from '../workspace/last-check.ts'
import { idsIn } from '../workspace/named-run.ts'
import { counted } from '../output/format.ts'
import { publicKeysIn } from '../workspace/key-files.ts'
import { graceOf } from '../options/period.ts'
import { storeFor } from '../workspace/workspace.ts'
import { coloursOf, print, printJson, pathOrUrl } from '../output/print.ts'
import { refuseUnwritableStore } from '../launch/usable-store.ts'

interface CheckOptions {
  readonly readData?: true
  readonly repair?: true
  readonly grace: string
  readonly json?: true
  /** Files of public keys. One of them must have signed each stage. */
  readonly requireSignature?: readonly string[]
  /** The runs whose stages must be signed. All runs if absent. */
  readonly run?: readonly string[]
  readonly store?: string
}

/**
 * `zeroshift check`: checks that everything in the store is as it was written. Returns 1 if there
 * is damage, repaired or not, or if a required signature is missing.
 */
export async function check({
  readData,
  repair,
  grace: period,
  json,
  requireSignature,
  run: signedRuns,
  store: named,
}: CheckOptions): Promise<number> {
  const signers = await publicKeysIn(requireSignature)
  if (signedRuns && signers.length === 0)
    throw new UserError('--run says whose stages must be signed; expected --require-signature with it')
  const grace = graceOf(period)
  const url = storeFor(named)
  await refuseNonDirectory(url, { mayBeMissing: false })
  const artifacts = openArtifacts(url)
  const { store } = artifacts
  await refuseLaterFormat(store)
  const manifests = new SharedManifests(artifacts)
  const options = {
    readData: readData ?? false,
    grace,
    reportFlaw: (run: RunRecord, text: string) => reportFlaw(run, text, manifests),
    signers,
    ...(signedRuns && { signedRuns: await idsIn(store, signedRuns) }),
  }
  if (repair) await refuseUnwritableStore(url)
  const { checked, dropped } = repair
    ? await withDeletionLock(store, 'check --repair', async (confirm) => {
        const checked = await checkStore(artifacts, { ...options, now: await storeClock(store) })
        confirm()
        return { checked, dropped: await deleteDamage(store, checked.damage) }
      })
    : // The store's own clock takes a write.
      { checked: await checkStore(artifacts, { ...options, now: Date.now() }), dropped: [] }
  const isSound = checked.damage.length === 0
  await noteCheck(url, checked)
  if (json) printJson({ store: url, sound: isSound, ...checked, dropped })
  else
    for (const line of linesOf(checked, dropped, { where: pathOrUrl(url), repair: repair ?? false }))
      print(line)
  return isSound && (checked.demanded?.unsigned ?? []).length === 0 ? 0 : 1
}

function linesOf(
  { runs, stages, blobs, read, damage, inUse, signatures, demanded }: CheckedStore,
  dropped: readonly string[],
  { where, repair }: { readonly where: string; readonly repair: boolean },
): readonly string[] {
  const { green, red, yellow } = coloursOf(process.stdout)
  const contents = read > 0 ? `, ${size(read)} of them read` : ', by their sizes'
  const heading = `${where}: ${counted(runs, 'run')}, ${counted(stages, 'stage')}, ${counted(blobs, 'blob')}${contents}`
  const left = inUse.map(({ path, what }) => yellow(`in use, not checked: ${path}: ${what}`))
  const signatureLines =
    signatures > 0 ? [`${counted(signatures, 'signature')} that ${signatures === 1 ? 'holds' : 'hold'}`] : []
  const begin = [heading, ...signatureLines, ...left]
  const damageLines = (some: readonly Damage[]) =>
    [...byRun(some)].flatMap(([run, all]) => [
      '',
      red(run),
      ...all.map(({ path, what, remedy }) => `  ${path}: ${what}; ${remedy}`),
    ])
  const signed = demanded && demandedLines(demanded, damageLines)
  if (damage.length === 0) return [...begin, green('Everything is as it was written.'), ...(signed ?? [])]
  return [...begin, ...damageLines(damage), '', ...repairLines(damage, dropped, repair), ...(signed ?? [])]
}

function demandedLines(
  { signed, unsigned }: DemandedSignatures,
  damageLines: (some: readonly Damage[]) => readonly string[],
): readonly string[] {
  const { green, red } = coloursOf(process.stdout)
  const claims = `${signed.computed} as computed, ${signed.attested} as attested`
  if (unsigned.length === 0) return [green(`Every stage is signed by a required key: ${claims}.`)]
  const summary = `${counted(unsigned.length, 'stage')} without a signature by a required key; of the others ${claims}:`
  return ['', red(summary), ...damageLines(unsigned)]
}

function repairLines(
  damage: readonly Damage[],
  dropped: readonly string[],
  repair: boolean,
): readonly string[] {
  if (repair) return [`${counted(dropped.length, 'object')} deleted.`]
  return damage.some(({ drop }) => drop.length > 0)
    ? ['To delete what has to be computed again: ./zeroshift check --repair']
    : []
}

function byRun(damage: readonly Damage[]): ReadonlyMap<string, readonly Damage[]> {
  const groups = new Map<string, Damage[]>()
  for (const one of damage)
    for (const run of one.runs.length > 0 ? one.runs : ['of no run']) {
      const known = groups.get(run)
      if (known) known.push(one)
      else groups.set(run, [one])
    }
  return groups
}
