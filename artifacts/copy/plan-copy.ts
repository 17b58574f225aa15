import { UserError } from '../../common/errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ArchiveStore } from './archive.ts'
import { objectsIn } from './archive-objects.ts'
import { adviceOn } from './read-source.ts'
import type { ContainedStage, ContentsOptions, StoreContents } from './contained.ts'
import { purgedDigests } from '../stored-ledgers.ts'
import { readContents, withoutPurged } from './store-contents.ts'
import { flawsOf, planTransfer, type Conflict, type Keep, type TransferPlan } from './transfer-plan.ts'

export interface PlanOptions extends Pick<ContentsOptions, 'ids' | 'reportFlaw'> {
  /**
   * The store whose results stay if both have different results of a stage. If absent, planning
   * throws.
   */
  readonly keep?: Keep
}

/** A planned copy between two stores. Nothing has been written yet. */
export interface PlannedCopy {
  readonly from: ObjectStore
  readonly to: ObjectStore
  readonly keep: Keep
  readonly plan: TransferPlan
  readonly target: StoreContents
}

/**
 * Plans the copy of finished stages, runs and sweeps into another store. Leases and checkpoints are
 * not copied. Everything in the source is verified except the contents of blobs. Throws a UserError
 * if the source is damaged, or if the stores have different results of the same stages.
 */
export async function planCopy(
  from: ObjectStore,
  to: ObjectStore,
  options: PlanOptions,
): Promise<PlannedCopy> {
  return planFrom(await readIntact(from, options), from, to, options.keep)
}

/**
 * Plans the import of an archive. Throws as `planCopy` does, and also a UserError if the archive
 * holds an object that its runs and stages do not name.
 */
export async function planImport(
  archive: ArchiveStore,
  to: ObjectStore,
  { reportFlaw, keep }: PlanOptions,
): Promise<PlannedCopy> {
  const source = await readIntact(archive, { ...(reportFlaw && { reportFlaw }) })
  const named = new Set(objectsIn(archive, source).map(({ path }) => path))
  const surplus = archive.paths().find((path) => !named.has(path))
  if (surplus !== undefined)
    throw new UserError(`${archive.locate(surplus)}: nothing in the archive names it. Nothing was copied`)
  return planFrom(source, archive, to, keep)
}

async function planFrom(
  source: StoreContents,
  from: ObjectStore,
  to: ObjectStore,
  given: Keep | undefined,
): Promise<PlannedCopy> {
  const target = await readTarget(to, source)
  if (!given) refuseConflict(from, to, source, target)
  const keep = given ?? 'target'
  return { from, to, keep, plan: planTransfer(source, target, keep), target }
}

/** Reads a store, or some runs of it. Throws a UserError if any part of that is damaged. */
export async function readIntact(
  store: ObjectStore,
  { ids, reportFlaw }: Pick<ContentsOptions, 'ids' | 'reportFlaw'>,
): Promise<StoreContents> {
  const all = await readContents(store, {
    wantsReport: () => true,
    ...(ids && { ids }),
    ...(reportFlaw && { reportFlaw }),
  })
  const contents = withoutPurged(all, await purgedDigests(store))
  const flaws = flawsOf(contents)
  if (flaws.length > 0)
    throw new UserError(
      flaws.slice(0, MOST_NAMED).map(({ path, what }) => ({
        message: `${store.locate(path)}: ${what}. Nothing was copied. ${adviceOn(store)}`,
      })),
    )
  if (contents.runs.size === 0 && contents.stages.size === 0)
    throw new UserError(`the store ${store.url} has no run and no stage; expected one with results`)
  return contents
}

/**
 * Reads the target. Of its reports, it reads those of runs that are copied as well, and those that
 * mention a copied stage which the target does not have.
 */
async function readTarget(store: ObjectStore, source: StoreContents): Promise<StoreContents> {
  const mentioned = new Set(
    [...source.stages.values()].flatMap(({ ref, inputs }) => [
      ref.key,
      ...inputs.map((input) => input.ref.key),
    ]),
  )
  for (const { report } of source.runs.values())
    for (const key of report?.digests.keys() ?? []) mentioned.add(key)
  return readContents(store, {
    wantsReport: (id, stages, has) =>
      source.runs.has(id) || stages.some((stage) => mentioned.has(stage.key) && !has(stage)),
  })
}

const MOST_NAMED = 20

/** Throws a UserError if the stores have different results of a stage. */
function refuseConflict(
  from: ObjectStore,
  to: ObjectStore,
  source: StoreContents,
  target: StoreContents,
): void {
  const leftOut = planTransfer(source, target, 'target').conflict
  if (leftOut.stages.length === 0 && leftOut.runs.length === 0) return
  const deleted = planTransfer(source, target, 'source').conflict
  throw new UserError(
    `${from.url} and ${to.url} have different results of the same stages, as two devices compute them, and results of ` +
      'different models may not stand side by side. Nothing was copied. ' +
      `With --keep target, the copy leaves out ${describeConflict(leftOut)} of the source. With --keep source, it deletes ` +
      `${describeConflict(deleted)} of the target, where the next run computes again what it needs of them`,
  )
}

/** The stages and reports of a conflict, as a part of a sentence. */
function describeConflict({ stages, runs, sweeps }: Conflict): string {
  const some = (what: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [
          `${what} ${names.slice(0, MOST_NAMED).join(', ')}${names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : ''}`,
        ]
  return [
    ...some('the stages', stages.map(nameOf)),
    ...some('the reports of the runs', runs),
    ...some('the reports of the sweeps', sweeps),
  ].join(', ')
}

const nameOf = ({ ref }: ContainedStage) => `${ref.kind}/${ref.key.slice(0, 12)}`
