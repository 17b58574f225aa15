/**
 * The data sets whose greatest pixel value is not 255. Code that computes on the device reads this
 * table and not the definitions in `data.ts`, so that the digest of that code does not depend on
 * the options of configs. A definition with another value than this table's does not compile.
 */
const whiteLevels = { digits: 16 } as const

const BYTE = 255

/** The type of the greatest pixel value of the data set with this name. */
export type WhiteLevel<Name extends string> = Name extends keyof typeof whiteLevels
  ? (typeof whiteLevels)[Name]
  : typeof BYTE

/** The greatest pixel value of a data set, which is white. */
export function whiteOf({ name }: { readonly name: string }): number {
  const levels: Readonly<Partial<Record<string, number>>> = whiteLevels
  return levels[name] ?? BYTE
}
