import { reportFlaw, SharedManifests } from '../activities/stored-outcome.ts'
import { openArtifacts } from '../artifacts/artifacts.ts'
import { checkStore, dropDamage, type CheckedStore, type Damage } from '../artifacts/check.ts'
import { storeClock } from '../artifacts/gc.ts'
import { refuseOtherThings } from './existing-store.ts'
import { counted } from './format.ts'
import { graceOf, size } from './gc.ts'
import { storeFor } from './place.ts'
import { coloursOf, print, printJson, whereOf } from './print.ts'

export interface CheckOptions {
  readonly readData?: true
  readonly repair?: true
  readonly grace: string
  readonly json?: true
  readonly store?: string
}

/**
 * `zeroshift check`: whether everything in the store is as it was written. Answers the exit code: 1 where there is damage,
 * repaired or not.
 */
export async function check({
  readData,
  repair,
  json,
  store: named,
  ...options
}: CheckOptions): Promise<number> {
  const grace = graceOf(options.grace)
  const url = storeFor(named)
  await refuseOtherThings(url, { mayBeMissing: false })
  const artifacts = openArtifacts(url)
  const manifests = new SharedManifests(artifacts)
  const checked = await checkStore(artifacts, {
    readData: readData ?? false,
    grace,
    // The store's own clock takes a write.
    now: repair ? await storeClock(artifacts.store) : Date.now(),
    reportFlaw: (run, text) => reportFlaw(run, text, manifests),
  })
  const dropped = repair ? await dropDamage(artifacts.store, checked.damage) : []
  const isSound = checked.damage.length === 0
  if (json) printJson({ store: url, sound: isSound, ...checked, dropped })
  else
    for (const line of linesOf(checked, dropped, { where: whereOf(url), repair: repair ?? false }))
      print(line)
  return isSound ? 0 : 1
}

function linesOf(
  { runs, stages, blobs, read, damage, inUse }: CheckedStore,
  dropped: readonly string[],
  { where, repair }: { readonly where: string; readonly repair: boolean },
): readonly string[] {
  const { green, red, yellow } = coloursOf(process.stdout)
  const contents = read > 0 ? `, ${size(read)} of them read` : ', by their sizes'
  const looked = `${where}: ${counted(runs, 'run')}, ${counted(stages, 'stage')}, ${counted(blobs, 'blob')}${contents}`
  const left = inUse.map(({ path, what }) => yellow(`in use, not judged: ${path}: ${what}`))
  if (damage.length === 0) return [looked, ...left, green('Everything is as it was written.')]
  return [
    looked,
    ...left,
    ...[...byRun(damage)].flatMap(([run, all]) => [
      '',
      red(run),
      ...all.map(({ path, what, remedy }) => `  ${path}: ${what}; ${remedy}`),
    ]),
    '',
    ...endOf(damage, dropped, repair),
  ]
}

function endOf(damage: readonly Damage[], dropped: readonly string[], repair: boolean): readonly string[] {
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
