import { methodSchemas } from '../../experiment/spec/methods.ts'
import { externalMethodSchema } from '../../experiment/spec/program.ts'
import { coloursOf, columns, print, printJson } from '../output/print.ts'

interface MethodsOptions {
  readonly json?: true
}

/** `zeroshift methods`: lists the methods that a config may name in `methods`, one per line. */
export function methods({ json }: MethodsOptions): number {
  const list = [...methodSchemas, externalMethodSchema].map(({ shape, description = '' }) => ({
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
