import type { MapSet, Point } from '../../../../../../experiment/records/feature-maps.ts'
import type { FeatureMapsView } from '../../../../../contract.ts'

/** The state of the maps that does not depend on the browser. */

export type Model = FeatureMapsView['models'][number]
export type Sample = FeatureMapsView['samples'][number]
export type MapKind = 'umap' | 'pca'

export const mapTitles: Readonly<Record<MapKind, string>> = { umap: 'UMAP', pca: 'PCA' }
export const setTitles: Readonly<Record<MapSet, string>> = {
  forget: 'forget set',
  retained: 'retained set',
  test: 'test set',
}

/** The models that are shown until the reader chooses others. */
const FIRST_MODELS = 4

export interface Square {
  readonly left: number
  readonly top: number
  readonly side: number
}

/** The square around the points of all models, with a margin, so that places can be compared. */
export function squareOf(models: readonly Model[], kind: MapKind): Square {
  const points = models.flatMap((model) => model[kind])
  const range = (values: readonly number[]) => {
    const low = values.reduce((a, b) => Math.min(a, b), Infinity)
    const high = values.reduce((a, b) => Math.max(a, b), -Infinity)
    return low <= high ? { middle: (low + high) / 2, size: high - low } : { middle: 0, size: 0 }
  }
  const [x, y] = [range(points.map(([value]) => value)), range(points.map(([, value]) => value))]
  const side = Math.max(x.size, y.size, 1e-9) * 1.08
  return { left: x.middle - side / 2, top: y.middle + side / 2, side }
}

/** The place of a point on a drawing of this size in pixels. Upwards is up. */
export function placed([x, y]: Point, { left, top, side }: Square, size: number): Point {
  return [((x - left) / side) * size, ((top - y) / side) * size]
}

/** The index of the shown point that is nearest to a place in pixels, if one is within `reach`. */
export function nearest(
  points: readonly Point[],
  isShown: (index: number) => boolean,
  square: Square,
  size: number,
  [x, y]: Point,
  reach = 12,
): number | undefined {
  let found: number | undefined
  let least = reach * reach
  points.forEach((point, i) => {
    if (!isShown(i)) return
    const [px, py] = placed(point, square, size)
    const distance = (px - x) ** 2 + (py - y) ** 2
    if (distance > least) return
    least = distance
    found = i
  })
  return found
}

/** The indices of the shown points between two corners in pixels. */
export function within(
  points: readonly Point[],
  isShown: (index: number) => boolean,
  square: Square,
  size: number,
  [a, b]: readonly [Point, Point],
): ReadonlySet<number> {
  const between = (value: number, one: number, other: number) =>
    value >= Math.min(one, other) && value <= Math.max(one, other)
  return new Set(
    points.flatMap((point, i) => {
      if (!isShown(i)) return []
      const [x, y] = placed(point, square, size)
      return between(x, a[0], b[0]) && between(y, a[1], b[1]) ? [i] : []
    }),
  )
}

/** The state that is part of the address of the view. */
export interface MapQuery {
  /** Labels of models, in the order of the answer. */
  readonly models: readonly string[]
  readonly kinds: readonly MapKind[]
  readonly colour: 'class' | 'set'
  readonly sets: readonly MapSet[]
}

const allKinds: readonly MapKind[] = ['umap', 'pca']
const allSets: readonly MapSet[] = ['forget', 'retained', 'test']

export function readQuery(
  { models, classes }: Pick<FeatureMapsView, 'models' | 'classes'>,
  query: Readonly<Record<string, string>>,
): MapQuery {
  const labels = models.map(({ label }) => label)
  const named = chosen(labels, query.models)
  const hasColours = classes.length <= classColours.length
  return {
    models: named.length > 0 ? named : labels.slice(0, FIRST_MODELS),
    kinds: nonEmpty(chosen(allKinds, query.maps), allKinds),
    colour: hasColours && query.colour !== 'set' ? 'class' : 'set',
    sets: nonEmpty(chosen(allSets, query.sets), allSets),
  }
}

/** The list in an address, which separates encoded names by commas. Undefined for the default. */
export function writeList(chosen: readonly string[], standard: readonly string[]): string | undefined {
  const isStandard = chosen.length === standard.length && chosen.every((name, i) => name === standard[i])
  return isStandard ? undefined : chosen.map(encodeURIComponent).join(',')
}

export function standardModels({ models }: Pick<FeatureMapsView, 'models'>): readonly string[] {
  return models.slice(0, FIRST_MODELS).map(({ label }) => label)
}

function chosen<Name extends string>(all: readonly Name[], text: string | undefined): readonly Name[] {
  const names = new Set(text === undefined ? [] : text.split(',').map(decoded))
  return all.filter((name) => names.has(name))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function nonEmpty<T>(values: readonly T[], otherwise: readonly T[]): readonly T[] {
  return values.length > 0 ? values : otherwise
}

/** A list with a name added or removed. The last one stays. */
export function toggled<Name extends string>(
  all: readonly Name[],
  chosen: readonly Name[],
  name: Name,
): readonly Name[] {
  const next = all.filter((one) => (one === name ? !chosen.includes(name) : chosen.includes(one)))
  return next.length > 0 ? next : chosen
}

const classColours = [
  ...(['series-0', 'series-1', 'series-2', 'series-3', 'series-4'] as const),
  ...(['series-5', 'series-6', 'series-7', 'series-8', 'series-9'] as const),
] as const

/** The name of a colour of the style sheet. */
export function colourOf(
  { set, label }: Sample,
  colour: MapQuery['colour'],
): (typeof classColours)[number] | MapSet {
  return colour === 'class' ? (classColours[label % classColours.length] ?? set) : set
}

/** `training sample 12: class 3, forget set`, by the names of the classes. */
export function describeSample({ set, number, label }: Sample, classes: readonly string[]): string {
  return `${set === 'test' ? 'test sample' : 'training sample'} ${number}: class ${classes[label] ?? label}, ${setTitles[set]}`
}

/** The numbers of selected samples by set, and by class, largest first. */
export function describeSelection(
  samples: readonly Sample[],
  selected: ReadonlySet<number>,
  classes: readonly string[],
): string {
  const own = samples.filter((_, i) => selected.has(i))
  const sets = allSets.flatMap((set) => {
    const count = own.filter((sample) => sample.set === set).length
    return count > 0 ? [`${count} of the ${setTitles[set]}`] : []
  })
  const counts = classes
    .map((name, label) => ({ name, count: own.filter((sample) => sample.label === label).length }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
  const shown = counts.slice(0, 6).map(({ name, count }) => `${name} (${count})`)
  const more = counts.length > shown.length ? ` and ${counts.length - shown.length} more` : ''
  return `${own.length} selected: ${sets.join(', ')}. Classes: ${shown.join(', ')}${more}.`
}
