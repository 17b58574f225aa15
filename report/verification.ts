import type { Difference } from '../common/differences.ts'
import type { BlobRef } from '../experiment/records/manifest.ts'
import type { Figure } from '../experiment/records/results.ts'
import { differentFigures } from './figures.ts'
import type { Published, PublishedBlobs, PublishedEnvironment } from './published.ts'

/**
 * The result of comparing a report with the report of the same run computed again. Anybody may have
 * written the recorded report, so that the floor is taken from the recomputation.
 *
 * - `same`: every stage, every blob and every figure is the same to the last byte.
 * - `within-floor`: bytes differ on another device, and every row is as near to the recorded one as
 *   two gold models are. This is less than `same`, since the recorded device cannot be checked.
 * - `beyond-floor`: bytes differ on another device, and a row or the recorded floor is further off.
 * - `unjudged`: bytes differ on another device, and there is no floor.
 * - `differs`: bytes differ on the same device with the same threads, where they must be the same.
 * - `contradictory`: the stages are the same, and the report gives other results for them.
 */
export type Verdict = 'same' | 'within-floor' | 'beyond-floor' | 'unjudged' | 'differs' | 'contradictory'

export interface Verification {
  readonly verdict: Verdict
  readonly stages: readonly VerifiedStage[]
  /** Absent if the report lists no blobs. The digests of its stages include them. */
  readonly blobs?: { readonly same: number; readonly of: number }
  /** Figures that differ, in all parts of the report. */
  readonly figures: readonly Difference[]
  readonly rows: readonly VerifiedRow[]
  readonly floor: VerifiedFloor
  readonly environment: readonly EnvironmentDifference[]
}

export interface VerifiedFloor {
  readonly recorded: Figure
  /** The floor of the recomputation, against which rows are compared. */
  readonly here: Figure
  readonly same: boolean
  /**
   * Whether the two floors are within twice the floor of each other; absent if there is no floor
   * here.
   */
  readonly within?: boolean
}

export interface VerifiedStage {
  readonly kind: string
  readonly key: string
  readonly title: string
  readonly same: boolean
  /** Digests of its manifest; absent where it did not finish. */
  readonly recorded?: string
  readonly here?: string
  readonly blobs: readonly VerifiedBlob[]
}

export interface VerifiedBlob {
  readonly name: string
  readonly same: boolean
  readonly recorded?: BlobRef
  readonly here?: BlobRef
}

/** The distance of a row from the recorded one. */
export interface VerifiedRow {
  readonly label: string
  /** Absolute differences, in points. */
  readonly differences: Readonly<Record<ComparedMetric, Figure>>
  /** The mean of the differences that are known. */
  readonly mean: Figure
  /** Whether the mean is at most the floor; absent without a floor or without figures. */
  readonly within?: boolean
}

const comparedMetrics = ['ra', 'ua', 'ta', 'mia'] as const
type ComparedMetric = (typeof comparedMetrics)[number]

export interface EnvironmentDifference {
  readonly name: string
  readonly recorded: readonly string[]
  readonly here: readonly string[]
  /** Whether bytes may depend on it. */
  readonly decides: boolean
}

export function compareWithReport(recorded: Published, here: Published): Verification {
  const stages = here.computed.stages.map((stage) => verifiedStage(recorded, here, stage))
  const blobs = stages.flatMap((stage) => stage.blobs)
  const figures = differentFigures(recorded.computed, here.computed)
  const environment = environmentDifferences(recorded.clock.environments, here.clock.environments)
  const floor = verifiedFloor(recorded.computed.floor, here.computed.floor)
  const rows = verifiedRows(recorded, here)
  return {
    verdict: verdictOf({ stages, figures, environment, rows, floor }),
    stages,
    ...(recorded.blobs && { blobs: { same: blobs.filter(({ same }) => same).length, of: blobs.length } }),
    figures,
    rows,
    floor,
    environment,
  }
}

function verdictOf({
  stages,
  figures,
  environment,
  rows,
  floor,
}: Pick<Verification, 'stages' | 'figures' | 'environment' | 'rows' | 'floor'>): Verdict {
  // A stage's digest includes its blobs and its figures.
  if (stages.some(({ same, blobs }) => same && !blobs.every((blob) => blob.same))) return 'contradictory'
  if (stages.every(({ same }) => same)) return figures.length === 0 ? 'same' : 'contradictory'
  if (!environment.some(({ decides }) => decides)) return 'differs'
  const verdicts = rows.flatMap(({ within }) => within ?? [])
  if (floor.within === undefined || verdicts.length === 0) return 'unjudged'
  return floor.within && verdicts.every(Boolean) ? 'within-floor' : 'beyond-floor'
}

/** If two models each move by at most the floor, their distance changes by at most twice that. */
function verifiedFloor(recorded: Figure, here: Figure): VerifiedFloor {
  const difference = gapOf(recorded, here)
  return {
    recorded,
    here,
    same: 'value' in difference ? difference.value === 0 : hasValue(recorded) === hasValue(here),
    ...(hasValue(here) && { within: 'value' in difference && difference.value <= 2 * here.value }),
  }
}

/** The rows of the recomputation, then the rows that only the report has. */
function verifiedRows(recorded: Published, here: Published): readonly VerifiedRow[] {
  const { results, floor } = here.computed
  const labels = results.map(({ label }) => label)
  const surplus = recorded.computed.results.filter(
    ({ label }, i, all) => !labels.includes(label) || all.findIndex((row) => row.label === label) < i,
  )
  return [
    ...results.map((row) => verifiedRow(recorded, row, floor)),
    ...surplus.map(({ label }) => verifiedRow(recorded, { label, metrics: {} }, floor)),
  ]
}

function verifiedStage(
  recorded: Published,
  here: Published,
  { kind, key, title, digest }: Published['computed']['stages'][number],
): VerifiedStage {
  const there = recorded.computed.stages.find((stage) => stage.key === key)?.digest
  return {
    kind,
    key,
    title,
    // A stage that failed both times counts as the same.
    same: there === digest,
    ...(there !== undefined && { recorded: there }),
    ...(digest !== undefined && { here: digest }),
    blobs: recorded.blobs ? verifiedBlobs(recorded.blobs[key], here.blobs?.[key]) : [],
  }
}

function verifiedBlobs(recorded: PublishedBlobs = {}, here: PublishedBlobs = {}): readonly VerifiedBlob[] {
  const names = [...new Set([...Object.keys(here), ...Object.keys(recorded)])]
  return names.map((name) => {
    const [one, other] = [recorded[name], here[name]]
    return {
      name,
      same: one?.sha256 === other?.sha256 && one?.bytes === other?.bytes,
      ...(one && { recorded: one }),
      ...(other && { here: other }),
    }
  })
}

function verifiedRow(
  recorded: Published,
  { label, metrics }: Published['computed']['results'][number],
  floor: Figure,
): VerifiedRow {
  const there = recorded.computed.results.find((row) => row.label === label)?.metrics
  const pairs = comparedMetrics.map((name) => [name, there?.[name], metrics[name]] as const)
  const gaps = Object.fromEntries(
    pairs.map(([name, one, other]) => [name, gapOf(one, other)]),
  ) as VerifiedRow['differences']
  const values = Object.values(gaps).flatMap((gap) => ('value' in gap ? gap.value : []))
  const mean: Figure =
    values.length > 0
      ? { value: values.reduce((sum, value) => sum + value, 0) / values.length }
      : { missing: 'no figure of this row is there both times' }
  const lost = pairs.some(([, one, other]) => hasValue(one) !== hasValue(other))
  return {
    label,
    differences: gaps,
    mean,
    ...('value' in floor &&
      (lost ? { within: false } : 'value' in mean && { within: mean.value <= floor.value })),
  }
}

function gapOf(recorded: Figure | undefined, here: Figure | undefined): Figure {
  if (!hasValue(recorded))
    return { missing: hasValue(here) ? 'it was not reported' : 'neither time was there one' }
  return hasValue(here)
    ? { value: Math.abs(here.value - recorded.value) }
    : { missing: 'it could not be computed here' }
}

function hasValue(figure: Figure | undefined): figure is Extract<Figure, { value: number }> {
  return figure !== undefined && 'value' in figure
}

/**
 * The properties of environments that reports record. Bytes may depend on the device and its
 * libraries, but not on Node or Zeroshift: a stage's key contains its code, which gives the same
 * bytes on every Node.
 */
const facets: readonly {
  readonly name: string
  readonly decides: boolean
  readonly of: (environment: PublishedEnvironment) => string | number | undefined
}[] = [
  { name: 'device', decides: true, of: ({ tensorflow }) => tensorflow?.gpu ?? tensorflow?.device },
  {
    name: 'parts of a batch',
    decides: true,
    of: ({ tensorflow }) => tensorflow && (tensorflow.batchParts ?? 1),
  },
  { name: 'threads', decides: true, of: ({ tensorflow }) => tensorflow?.threads },
  {
    name: 'oneDNN',
    decides: true,
    of: ({ tensorflow: { oneDnn } = {} }) => (oneDnn === undefined ? undefined : oneDnn ? 'on' : 'off'),
  },
  { name: 'TensorFlow', decides: true, of: ({ tensorflow }) => tensorflow?.version },
  { name: 'processor', decides: true, of: ({ processor }) => processor },
  { name: 'platform', decides: true, of: ({ platform }) => platform },
  { name: 'Node', decides: false, of: ({ node }) => node },
  { name: 'Zeroshift', decides: false, of: ({ zeroshift }) => zeroshift },
]

/** Differing properties. A property that one report does not record is no difference. */
function environmentDifferences(
  recorded: readonly PublishedEnvironment[],
  here: readonly PublishedEnvironment[],
): readonly EnvironmentDifference[] {
  return facets.flatMap(({ name, decides, of }) => {
    const [one, other] = [recorded, here].map((list) => valuesOf(list.map(of)))
    if (!one?.length || !other?.length || one.join('\n') === other.join('\n')) return []
    return [{ name, recorded: one, here: other, decides }]
  })
}

function valuesOf(values: readonly (string | number | undefined)[]): readonly string[] {
  return [...new Set(values.flatMap((value) => (value === undefined ? [] : String(value))))].sort()
}
