import type { Comparison } from '../../experiment/sweep/comparison.ts'
import { oneLine } from '../../common/terminal-text.ts'
import { differing } from '../../report/comparison/differing.ts'
import { cutOff } from '../../report/comparison/lines.ts'
import { overviewOf } from '../../report/comparison/overview.ts'
import { terminalRows } from '../../report/comparison/files.ts'
import { columns, coloursOf } from './print.ts'

/** Returns a comparison as lines for a terminal: the differences of the specs, and the table. */
export function comparisonLines(
  comparison: Comparison,
  { bold, dim }: ReturnType<typeof coloursOf>,
): readonly string[] {
  const overview = overviewOf(comparison)
  const parts = differing(overview)
  const { rows, lines } = terminalRows(overview)
  const [heading = '', ...body] = columns(rows).split('\n')
  const missing = overview.runs.flatMap(({ run, missing }) =>
    missing === undefined ? [] : [oneLine(`${run.id} is missing: ${missing}`)],
  )
  return [
    ...(parts.length === 0
      ? ['The specs do not differ.']
      : ['The specs differ in:', columns(parts.map(({ path, values }) => [`  ${path}`, values]))]),
    '',
    bold(heading),
    ...body,
    ...['* closest to its gold', ...[cutOff(lines) ?? []].flat(), ...missing].map(dim),
  ]
}
