import type { Measured } from '../../experiment/records/measured.ts'

/**
 * Computes a figure from others. It is missing if any of them is, with the name and reason of the
 * first.
 */
export function combine<Name extends string>(
  figures: Readonly<Record<Name, Measured>>,
  formula: (values: Readonly<Record<Name, number>>) => number,
): Measured {
  const values: Partial<Record<Name, number>> = {}
  for (const name of Object.keys(figures) as Name[]) {
    const figure = figures[name]
    if ('missing' in figure) return { missing: `${name}: ${figure.missing}` }
    values[name] = figure.value
  }
  return { value: formula(values as Record<Name, number>) }
}
