import { z } from 'zod'
import { canonicalJson, sha256 } from '../../common/canonical.ts'

/** The values that an option may be drawn from, and the seeded draws. */

export const rangeSchema = z.union([
  z.strictObject({
    from: z.number(),
    to: z.number(),
    scale: z.enum(['linear', 'log']).default('linear'),
    whole: z.boolean().default(false).describe('whole numbers only, both ends among them'),
  }),
  z.strictObject({ choices: z.array(z.json()).min(1) }),
])

export type RangeSpec = z.output<typeof rangeSchema>
export type Json = z.output<ReturnType<typeof z.json>>

/** A number in [0, 1) from 52 bits of the digest of a name. */
export function uniform(name: readonly (string | number)[]): number {
  return Number.parseInt(sha256(canonicalJson(name)).slice(0, 13), 16) / 2 ** 52
}

/** The value of a range at a number in [0, 1). */
export function valueIn(range: RangeSpec, u: number): Json {
  if ('choices' in range) return range.choices[Math.floor(u * range.choices.length)] ?? null
  const { from, to, scale, whole } = range
  // A whole number is the floor of a number below to + 1.
  const end = whole ? to + 1 : to
  const value = scale === 'log' ? from * (end / from) ** u : from + u * (end - from)
  // Six digits suffice, and people can read and type them.
  return whole ? Math.min(to, Math.floor(value)) : Number(value.toPrecision(6))
}

/** The values of a range that stand for all: its ends, or each of its choices. */
export function extremes(range: RangeSpec): readonly Json[] {
  return 'choices' in range ? range.choices : [valueIn(range, 0), valueIn(range, 1 - 2 ** -52)]
}

/** What is wrong with the range of the option at `path`. Empty if nothing is. */
export function rangeProblems(path: string, range: RangeSpec): readonly string[] {
  if ('choices' in range) return []
  const { from, to, scale, whole } = range
  return [
    ...(from < to ? [] : [`the range of ${path} goes from ${from} to ${to}; expected from < to`]),
    ...(scale === 'log' && from <= 0
      ? [`a logarithmic range begins above 0, and that of ${path} at ${from}`]
      : []),
    ...(whole && !(Number.isInteger(from) && Number.isInteger(to))
      ? [`a range of whole numbers has whole ends, and that of ${path} goes from ${from} to ${to}`]
      : []),
  ]
}
