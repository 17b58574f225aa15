import {
  describedOptions,
  type JsonSchema,
  type NamedSchema,
  type Notation,
} from '../../experiment/spec/option-list.ts'
import { code, plain, table } from './markdown.ts'

const markdown: Notation = {
  code,
  named: ({ label, link }) => `[${label}](${link})`,
  tuple: (types) => `\\[${types.join(', ')}\\]`,
  required: '**required**',
}

/**
 * A table of an object's options: name, type, default and meaning. Nested options have dotted
 * names.
 */
export function fieldTable(
  schema: JsonSchema,
  named: readonly NamedSchema[],
  { omit = [], prefix = '' }: { readonly omit?: readonly string[]; readonly prefix?: string } = {},
): string {
  const rows = describedOptions(schema, named, markdown, prefix)
    .filter(({ path }) => !omit.includes(path))
    .map(({ path, type, default: value, meaning, variant }) => [
      code(path),
      type,
      value,
      [...(variant ? [`With ${code(variant)}:`] : []), plain(meaning)].join(' ').trim(),
    ])
  return table(['option', 'type', 'default', 'meaning'], rows)
}
