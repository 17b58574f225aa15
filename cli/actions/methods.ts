import { UserError } from '../../common/errors.ts'
import { suggestion } from '../../common/nearest.ts'
import { methodFacts, readsOf } from '../../experiment/spec/method-facts.ts'
import { isNotUnlearned, methodSchemas, type RowSpec } from '../../experiment/spec/methods.ts'
import { optimizer, schedule } from '../../experiment/spec/named-schemas.ts'
import { describedOptions, jsonSchemaOf, type Notation } from '../../experiment/spec/option-list.ts'
import { externalMethodSchema } from '../../experiment/spec/program.ts'
import { rangeText } from '../../experiment/spec/range-text.ts'
import { searchSpaces, type SearchSpace } from '../../experiment/spec/search-spaces.ts'
import { coloursOf, columns, print, printJson } from '../output/print.ts'

const rowSchemas = [...methodSchemas, externalMethodSchema]

interface MethodsOptions {
  readonly json?: true
}

/**
 * `zeroshift methods [NAME]`: lists the methods that a config may name in `methods`, or shows one
 * with its options. Throws a UserError for an unknown name.
 */
export function methods(name: string | undefined, { json }: MethodsOptions): number {
  if (name !== undefined) return showMethod(name, json ?? false)
  const list = rowSchemas.map(({ shape, description = '' }) => ({
    name: shape.method.value,
    about: description,
  }))
  if (json) {
    printJson({ methods: list })
    return 0
  }
  const rows = list.map(({ name, about }) => [name, about])
  const [heading = '', ...lines] = columns([['METHOD', 'WHAT IT DOES'], ...rows]).split('\n')
  print([coloursOf(process.stdout).bold(heading), ...lines].join('\n'))
  return 0
}

const terminal: Notation = {
  code: (text) => text,
  named: ({ label }) => label,
  tuple: (types) => `[${types.join(', ')}]`,
  required: 'required',
}
const shared = [optimizer, schedule]

function showMethod(wanted: string, json: boolean): number {
  const schema = rowSchemas.find(({ shape }) => shape.method.value === wanted)
  if (!schema) {
    const names = rowSchemas.map(({ shape }) => shape.method.value)
    throw new UserError(`there is no method '${wanted}'${suggestion(wanted, names, 'methods')}`)
  }
  const name: RowSpec['method'] = schema.shape.method.value
  const options = describedOptions(jsonSchemaOf(schema), shared, terminal).filter(
    ({ path }) => path !== 'method',
  )
  const space = searchSpaceOf(name)
  const { paper, reads } = methodFacts[name]
  if (json) {
    printJson({
      ...{ name, about: schema.description, paper, reads, readsInWords: readsOf(name) },
      options: options.map(({ path, type, value, isRequired, meaning, variant }) => ({
        ...{ name: path, type, required: isRequired, meaning },
        ...(value !== undefined && { default: value }),
        ...(variant !== undefined && { with: variant }),
      })),
      searchSpace: space ?? null,
    })
    return 0
  }
  const { bold, dim } = coloursOf(process.stdout)
  const used = shared.filter(({ label }) => options.some(({ type }) => type === label))
  const ranges = Object.entries(space ?? {}).map(([path, range]) => [`  ${path}`, rangeText(range)])
  const lines = [
    `${bold(name)}  ${schema.description ?? ''}`,
    '',
    columns([
      ['Paper', paper],
      ['Reads', readsOf(name)],
    ]),
    '',
    bold('Options'),
    ...options.flatMap(({ path, type, default: standard, isRequired, meaning, variant }) => [
      `  ${bold(path)}  ${[type, ...(standard === '' ? [] : [isRequired ? standard : `default ${standard}`])].join('; ')}`,
      `      ${variant === undefined ? '' : `with ${variant}: `}${meaning}`,
    ]),
    ...used.map(({ label, link }) =>
      dim(`  The options of a value of type ${label} are in docs/reference/${link}.`),
    ),
    '',
    bold('Values that tuning draws'),
    ...(space === undefined
      ? ['  This method is not tuned.']
      : ranges.length === 0
        ? ['  None of the options is drawn.']
        : [columns(ranges)]),
  ]
  print(lines.join('\n'))
  return 0
}

/** The search space of a method. Returns undefined if the method is never tuned. */
function searchSpaceOf(name: RowSpec['method']): SearchSpace | undefined {
  return name === 'external' || isNotUnlearned(name) ? undefined : searchSpaces[name]
}
