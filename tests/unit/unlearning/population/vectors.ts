import fc from 'fast-check'
import { expect } from 'vitest'
import { stream, type RandomStream } from '../../../../learning/random.ts'
import type { Estimate } from '../../../../experiment/records/measured.ts'
import type { Interval } from '../../../../common/interval.ts'
import type { Margins, Pool } from '../../../../unlearning/population/pool.ts'
import { expectClose, reference, type PlainLogits } from '../evaluated-models.ts'

/** Reference vectors, made-up margins and estimates that the tests of population attacks share. */

export interface PlainMargins {
  readonly values: readonly number[]
  readonly models: number
  readonly samples: number
}

export interface PlainPool extends PlainMargins {
  readonly members: readonly number[]
}

interface Attacks {
  readonly online: readonly number[]
  readonly offline: readonly number[]
}

/** The vectors that tests/reference/make_population.py wrote. */
export const vectors = reference('population.json') as {
  intervals: {
    studentQuantiles: { degrees: number; quantile: number }[]
    means: { values: number[]; mean: number; interval: [number, number] }[]
    wilson: { successes: number; n: number; interval: [number, number] }[]
  }
  rocs: {
    name: string
    members: number[]
    nonMembers: number[]
    auc: number
    interval: [number, number]
    rates: { fpr: number; tpr: number; interval: [number, number] }[]
  }[]
  margins: { name: string; logits: PlainLogits; margins: number[]; logProbabilities: number[] }[]
  shadowAttacks: {
    name: string
    target: number[]
    shadow: PlainPool
    population: { target: number[]; shadow: PlainPool }
    lira: Record<'per-sample' | 'pooled', Attacks>
    rmia: Attacks
  }[]
  uLira: { name: string; pool: PlainPool; accuracy: number; interval: [number, number] }[]
  klom: { name: string; unlearned: PlainMargins; gold: PlainMargins; mean: number; percentile95: number }[]
  forgettingQuality: {
    name: string
    unlearned: PlainMargins
    gold: PlainMargins
    epsilons: number[]
    forgetting: number
  }[]
}

export function toMargins({ values, models, samples }: PlainMargins): Margins {
  return { values: Float64Array.from(values), models, samples }
}

export function toPool(pool: PlainPool): Pool {
  return { ...toMargins(pool), members: Uint8Array.from(pool.members) }
}

export function intervalOf(estimate: Estimate): Interval {
  expect(estimate).toHaveProperty('interval')
  return 'interval' in estimate && estimate.interval ? estimate.interval : [NaN, NaN]
}

export function expectInterval(actual: Interval, expected: Interval, tolerance = 1e-9) {
  expectClose(actual[0], expected[0], tolerance)
  expectClose(actual[1], expected[1], tolerance)
}

export function expectAllClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-9) {
  expect(actual).toHaveLength(expected.length)
  Array.from(actual).forEach((value, i) => {
    expectClose(value, expected[i] ?? NaN, tolerance)
  })
}

/** φ from its model and sample. */
export function marginsFrom(
  models: number,
  samples: number,
  phi: (model: number, sample: number) => number,
): Margins {
  const values = Float64Array.from({ length: models * samples }, (_, i) =>
    phi(Math.floor(i / samples), i % samples),
  )
  return { values, models, samples }
}

/**
 * Draws models under which each sample has a normal distribution of φ with deviation 1, lower by
 * `drop`.
 */
export function drawModels(
  models: number,
  samples: number,
  { seed, drop = 0 }: { readonly seed: number; readonly drop?: number },
): Margins {
  const random: RandomStream = stream(seed, 'test-margins')
  // How hard a sample is does not depend on the seed: both kinds of models see the same samples.
  const hardness = stream(0, 'test-hardness')
  const means = Float64Array.from({ length: samples }, () => 2 + 2 * hardness.normal())
  return marginsFrom(models, samples, (_, sample) => (means[sample] ?? NaN) - drop + random.normal())
}

/**
 * Integers, so that ties are common, or any numbers, rounded so that no two differ by rounding
 * alone.
 */
export const phi = fc.oneof(
  fc.integer({ min: -4, max: 4 }),
  fc.double({ min: -30, max: 30, noNaN: true }).map((value) => Math.round(value * 1e6) / 1e6),
)

export function anyMargins(models: number, samples: number): fc.Arbitrary<Margins> {
  return fc
    .array(phi, { minLength: models * samples, maxLength: models * samples })
    .map((values) => ({ values: Float64Array.from(values), models, samples }))
}

/** 0..n − 1 in any order. */
export function anyOrder(n: number): fc.Arbitrary<number[]> {
  const places = Array.from({ length: n }, (_, i) => i)
  return fc.shuffledSubarray(places, { minLength: n, maxLength: n })
}

/** Returns the same models and samples in other orders. */
export function permuted<Kind extends Margins>(
  margins: Kind,
  models: readonly number[],
  samples: readonly number[],
): Kind {
  const from = models.flatMap((m) => samples.map((s) => m * margins.samples + s))
  const values = Float64Array.from(from, (i) => margins.values[i] ?? NaN)
  const members = 'members' in margins && margins.members instanceof Uint8Array ? margins.members : undefined
  return { ...margins, values, ...(members && { members: Uint8Array.from(from, (i) => members[i] ?? 0) }) }
}

export function withPhi<Kind extends Margins>(margins: Kind, place: number, value: number): Kind {
  const values = margins.values.slice()
  values[place] = value
  return { ...margins, values }
}
