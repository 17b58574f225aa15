import { limits } from './limits.ts'
import type { Overview } from './overview.ts'
import { valueText } from './words.ts'

/** The columns with their values in words. */
export function differing({ comparison, dimensions }: Overview): readonly {
  readonly name: string
  readonly path: string
  readonly values: string
}[] {
  return comparison.columns.map(({ name, path }, i) => {
    const values = dimensions[i]?.values ?? []
    const shown = values.slice(0, limits.values).map(valueText).join(', ')
    return {
      name,
      path,
      values: values.length > limits.values ? `${shown}, … (${values.length} values)` : shown,
    }
  })
}
