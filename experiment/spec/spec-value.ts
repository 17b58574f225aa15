import { valueAt, type Path } from '../../common/path.ts'
import type { Spec } from './spec.ts'

/**
 * The value that a spec has for a path of its config, such as `methods[2].epochs`. The spec has the
 * options of a plug-in apart, and calls the plug-in by its name.
 */
export function specValue(spec: Spec, path: Path): unknown {
  const [section, i, ...rest] = path
  const row = section === 'methods' && typeof i === 'number' ? spec.methods[i] : undefined
  if (row?.method !== 'plugin') return valueAt(spec, path)
  const [key] = rest
  if (key === 'method') return row.plugin.name
  return key === 'label' || key === 'tune' ? valueAt(row, rest) : valueAt(row.options, rest)
}
