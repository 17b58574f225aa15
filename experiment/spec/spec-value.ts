import { valueAt, type Path } from '../../common/path.ts'
import type { Spec } from './spec.ts'

/**
 * The value that a spec has for a path of its config, such as `methods[2].epochs`. The spec has the
 * options of a plug-in apart, and calls the plug-in by its name.
 */
export function specValue(spec: Spec, path: Path): unknown {
  const found = path.reduce<unknown>((value, part) => {
    if (!isPlugged(value)) return valueAt(value, [part])
    if (Object.hasOwn(value.options, part)) return valueAt(value.options, [part])
    return namingKeys.includes(part) ? value.plugin.name : valueAt(value, [part])
  }, spec)
  return isPlugged(found) && Object.keys(found.options).length === 0 ? found.plugin.name : found
}

/** The keys by which mappings of a config name plug-ins. */
const namingKeys: readonly (string | number)[] = ['method', 'score', 'name']

/** A mapping of a spec that names a plug-in. */
interface Plugged {
  readonly plugin: { readonly name: string }
  readonly options: object
}

function isPlugged(value: unknown): value is Plugged {
  return typeof value === 'object' && value !== null && 'plugin' in value && 'options' in value
}
