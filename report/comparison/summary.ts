import type { MethodVerdict } from '../../experiment/records/results.ts'
import { counted, grouped } from '../../common/counted.ts'
import { percent, significant, withInterval } from '../format.ts'
import { limits } from './limits.ts'
import { ranked, type Dimension, type Entry, type Group, type Overview } from './overview.ts'
import { entryText, groupText } from './words.ts'

/** The outcome in plain words. */
export interface Summary {
  /** The rows with the smallest average gap. */
  readonly headline: string
  /** Floors, what the runs' own tests say, how many came through: a sentence an entry. */
  readonly details: readonly string[]
}

export function summaryOf(overview: Overview): Summary {
  const { groups, runs, entries } = overview
  const winners = groups.flatMap((group) => group.ranked.slice(0, 1).map((entry) => ({ group, entry })))
  const missing = runs.filter((run) => run.missing !== undefined).length
  const through = `${grouped(runs.length - missing)} of ${counted(runs.length, 'run')} came through${missing > 0 ? `; ${grouped(missing)} ${missing === 1 ? 'is' : 'are'} missing` : ''}.`
  const partly = runs.filter(
    ({ run: { outcome } }) => 'failed' in outcome && outcome.failed.length > 0,
  ).length
  const details = [
    through,
    ...(partly > 0
      ? [`In ${counted(partly, 'run')}, stages failed; the figures that need them are missing.`]
      : []),
  ]
  const [first] = winners
  if (!first) return { headline: 'No method could be compared with gold.', details }
  if (groups.length === 1)
    return {
      headline: `Of ${counted(entries.length, 'method row')}, ${entryText(first.entry, overview.dimensions)} has the smallest average gap to gold: ${gapText(first.entry)} points.`,
      details: [
        ...floorWords(first.group, first.entry),
        ...rivalWords(first.group, first.entry),
        testWords(entries),
        ...details,
      ],
    }
  const named = winners.slice(0, 3).map(({ group, entry }) => {
    return `${entryText(entry, settings(overview))} for ${groupText(group) ?? ''} (${gapText(entry)} points)`
  })
  const more =
    winners.length > named.length ? `; the table below has ${winners.length - named.length} more` : ''
  return {
    headline: `Smallest average gaps to gold: ${named.join('; ')}${more}.`,
    details: [...floorsWords(winners), testWords(entries), ...details],
  }
}

/** The dimensions in which runs of one gold may differ. */
export function settings({ dimensions }: Overview): readonly Dimension[] {
  return dimensions.filter(({ decidesGold }) => !decidesGold)
}

/** The rows with the smallest gaps to each gold: five for one gold, three for a few, else one. */
export function closestRows({ groups }: Overview): {
  readonly groups: readonly { readonly group: Group; readonly entries: readonly Entry[] }[]
  /** The number of all groups, if some are left out. */
  readonly of?: number
} {
  const each = groups.length === 1 ? 5 : groups.length <= 4 ? 3 : 1
  return {
    groups: groups.slice(0, limits.groups).map((group) => ({ group, entries: group.ranked.slice(0, each) })),
    ...(groups.length > limits.groups && { of: groups.length }),
  }
}

function gapText({ row }: Entry): string {
  const { averageGap } = row.metrics
  return 'value' in averageGap ? withInterval(averageGap, percent) : 'n/a'
}

function floorWords({ floor }: Group, { gap = 0, outcome }: Entry): readonly string[] {
  const own = 'value' in floor ? floor : outcome.floor
  if ('missing' in own)
    return ['How far two gold models are apart is not known, so there is no floor to read the gap against.']
  const apart = `Gold models that differ in their seed alone are ${withInterval(own, percent)} points apart`
  if (gap <= own.value) return [`${apart}, and the gap is no greater, which is no test.`]
  return percent(own.value) === '0.00'
    ? [`${apart}: chance between seeds explains none of the gap.`]
    : [`${apart}: the gap is ${significant(gap / own.value)} times that floor.`]
}

/** The verdicts of the tests in the runs' own reports. */
function testWords(entries: readonly Entry[]): string {
  const tested = entries.flatMap(({ row }) => row.standing ?? [])
  const count = (verdict: MethodVerdict) => tested.filter((one) => one.verdict === verdict).length
  return tested.length === 0
    ? 'No run could test its methods against gold: their reports say why.'
    : `By the tests of their own reports, ${grouped(count('equivalent'))} of ${counted(tested.length, 'row')} are equivalent within δ to another gold model, ${grouped(count('distinguishable'))} distinguishable from gold, ${grouped(count('undecided'))} undecided.`
}

/** The number of other rows within the interval of the closest. */
function rivalWords({ ranked: [, ...others] }: Group, { ends }: Entry): readonly string[] {
  if (!ends) return []
  const [, high] = ends
  const near = others.filter((other) => other.gap !== undefined && other.gap <= high).length
  return near === 0
    ? []
    : [`${counted(near, 'other row')} ${near === 1 ? 'is' : 'are'} within its 95% interval.`]
}

function floorsWords(winners: readonly { readonly entry: Entry }[]): readonly string[] {
  const compared = ranked(winners.map(({ entry }) => entry)).flatMap(({ above }) => above ?? [])
  if (compared.length === 0) return []
  const at = compared.filter((above) => above <= 0).length
  return [
    `Each is compared with gold models of its own; ${at} of ${compared.length} ${at === 1 ? 'is' : 'are'} no further from gold than a second gold model is (the floor), which is no test.`,
  ]
}
