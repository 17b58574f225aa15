import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Measured } from '../../../experiment/records/measured.ts'
import type { Logits } from '../../../unlearning/metrics/logits.ts'

/** Reference vectors, made-up logits and figures that the tests of metrics and attacks share. */

export interface PlainLogits {
  readonly values: readonly number[]
  readonly labels: readonly number[]
  readonly classes: number
}

/** A file that a script in tests/reference/ wrote. */
export function reference(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../reference/${file}`, import.meta.url), 'utf8'))
}

export function toLogits({ values, labels, classes }: PlainLogits): Logits {
  return { values: Float32Array.from(values), labels: Int32Array.from(labels), classes }
}

export const noLogits: Logits = toLogits({ values: [], labels: [], classes: 3 })
export const brokenLogits: Logits = toLogits({ values: [0, NaN, 0, 1, 2, 3], labels: [0, 1], classes: 3 })

/** The value of a figure that must not be missing. */
export function valueOf(figure: Measured): number {
  expect(figure).toHaveProperty('value')
  return 'value' in figure ? figure.value : NaN
}

/** Equal up to rounding: relative, and absolute near 0. */
export function expectClose(actual: number, expected: number, tolerance = 1e-9) {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(expected)),
  )
}

const logit = fc.oneof(
  fc.float({ min: -20, max: 20, noNaN: true }),
  fc.constantFrom(-1e30, -800, 0, 1, 800, 1e30),
)

/** Logits of `models` models on the same samples. */
export function logitsOf(models: number, minSamples = 1): fc.Arbitrary<Logits[]> {
  return fc
    .record({ samples: fc.integer({ min: minSamples, max: 30 }), classes: fc.integer({ min: 2, max: 6 }) })
    .chain(({ samples, classes }) =>
      fc
        .tuple(
          fc.array(fc.nat(classes - 1), { minLength: samples, maxLength: samples }),
          fc.array(fc.array(logit, { minLength: samples * classes, maxLength: samples * classes }), {
            minLength: models,
            maxLength: models,
          }),
        )
        .map(([labels, all]) => all.map((values) => toLogits({ values, labels, classes }))),
    )
}

/** The samples at the given places, in that order. */
export function reordered({ values, labels, classes }: Logits, order: readonly number[]): Logits {
  return toLogits({
    values: order.flatMap((i) => [...values.subarray(i * classes, (i + 1) * classes)]),
    labels: order.map((i) => labels[i] ?? NaN),
    classes,
  })
}

/**
 * A model that gives the true class of sample i the probability `confidences[i]` and shares the
 * rest evenly.
 */
export function withConfidence(confidences: readonly number[], classes = 4): Logits {
  return toLogits({
    values: confidences.flatMap((p, i) =>
      Array.from({ length: classes }, (_, c) => Math.log(c === i % classes ? p : (1 - p) / (classes - 1))),
    ),
    labels: confidences.map((_, i) => i % classes),
    classes,
  })
}
