import { parsePath, valueAt, withValueAt, type Path } from '../../common/path.ts'
import {
  isApproximate,
  methodSchema,
  type ApproximateMethodSpec,
  type MethodSpec,
  type RowSpec,
} from './methods.ts'
import { uniform, valueIn, type Json, type RangeSpec } from './range.ts'
import { searchSpaces, type SearchRange } from './search-spaces.ts'
import type { Spec } from './spec.ts'
import { tuneDefaults } from './tune.ts'

/** The variants of a method that tuning tries: its own options, and options that are drawn. */

/** How one row is tuned. */
export interface RowTuning {
  /** The number of variants, the row's own options among them. */
  readonly trials: number
  /** By path: the values that the option is drawn from. */
  readonly space: Readonly<Record<string, RangeSpec>>
}

type Tuned = Pick<Spec, 'tune' | 'training' | 'seed'>

/**
 * Returns undefined if the row is not tuned. Rows without unlearning have no options to tune, and
 * neither has a method whose default search space is empty.
 */
export function tuningOf(row: RowSpec, { tune, training }: Tuned): RowTuning | undefined {
  if (!isApproximate(row) || row.tune === false) return undefined
  if (!tune && !row.tune) return undefined
  const own = tunable(row, training)
  const space = row.tune?.space ?? resolved(searchSpaces[row.method], own)
  if (row.tune === undefined && Object.keys(space).length === 0) return undefined
  return { trials: row.tune?.trials ?? tune?.trials ?? tuneDefaults.trials, space }
}

/**
 * The variants of a row. The first one has its own options. The others set every option of the
 * space to a value that is drawn from a stream named by the unlearning seed, the method, the label,
 * the path and the number of the variant. More variants or other paths therefore change no draw.
 */
export function variantsOf(row: ApproximateMethodSpec, tuned: Tuned): readonly ApproximateMethodSpec[] {
  const { trials = 1, space = {} } = tuningOf(row, tuned) ?? {}
  const own = optionsOf(row)
  const drawn = Array.from({ length: trials - 1 }, (_, i) => {
    const values = Object.entries(space).map(([path, range]) => {
      const name = ['tune', tuned.seed.unlearning, row.method, row.label ?? row.method, path, i + 1]
      return [path, valueIn(range, uniform(name))] as const
    })
    return approximate(methodSchema.parse(withValues(row, tuned, values)))
  })
  return [own, ...drawn]
}

function approximate(method: MethodSpec): ApproximateMethodSpec {
  if (!isApproximate(method)) throw new RangeError(`${method.method} has no variants`)
  return method
}

/** The options of a row that its method reads: those without its label and its tuning. */
export function optionsOf({ label: _, tune: __, ...options }: ApproximateMethodSpec): ApproximateMethodSpec {
  return options
}

/** The options of a row with some values set, as plain data that was not checked. */
export function withValues(
  row: ApproximateMethodSpec,
  { training }: Pick<Tuned, 'training'>,
  values: readonly (readonly [path: string, value: Json])[],
): unknown {
  return values.reduce<unknown>(
    (options, [path, value]) => withValueAt(options, optionPath(row, path), value),
    values.some(([path]) => path.startsWith('optimizer')) ? tunable(row, training) : optionsOf(row),
  )
}

/** The options of a row, where an optimizer that it leaves out is that of the training. */
function tunable(row: ApproximateMethodSpec, training: Spec['training']): ApproximateMethodSpec {
  const options = optionsOf(row)
  return 'epochs' in options && training ? { optimizer: training.optimizer, ...options } : options
}

/** The place of an option in a row. A plug-in has its options apart from other keys. */
function optionPath({ method }: Pick<MethodSpec, 'method'>, option: string): Path {
  const path = parsePath(option) ?? [option]
  return method === 'plugin' ? ['options', ...path] : path
}

/** The value of an option of a row, such as `optimizer.learningRate`. */
export function optionOf(row: ApproximateMethodSpec, option: string): unknown {
  return valueAt(row, optionPath(row, option))
}

/** The ranges of a space for the values that a row has. Factors of 0 are left out. */
function resolved(
  space: Readonly<Record<string, SearchRange>>,
  own: ApproximateMethodSpec,
): Readonly<Record<string, RangeSpec>> {
  return Object.fromEntries(
    Object.entries(space).flatMap(([path, range]): [string, RangeSpec][] => {
      if (!('times' in range)) return [[path, range]]
      const value = valueAt(own, parsePath(path) ?? [])
      if (typeof value !== 'number' || value <= 0) return []
      return [[path, around(value, range.times, isCount(path))]]
    }),
  )
}

/** Options that count something stay whole if they are. */
function isCount(path: string): boolean {
  return ['epochs', 'steps', 'iterations'].includes(path)
}

function around(value: number, [low, high]: readonly [number, number], isCount: boolean): RangeSpec {
  const whole = isCount && Number.isInteger(value)
  const times = (factor: number) => Number((factor * value).toPrecision(6))
  const [from, to] = [times(low), times(high)]
  return whole
    ? { from: Math.max(1, Math.ceil(from)), to: Math.floor(to), scale: 'log', whole }
    : { from, to, scale: 'log', whole }
}
