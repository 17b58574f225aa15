import { type JsonSchema } from '../../experiment/spec/option-list.ts'
import { fieldTable } from './fields.ts'
import { plain, sentence, table } from './markdown.ts'

/** One of the choices for a part of a config, such as one model. */
interface Variant {
  readonly name: string
  readonly about: string
  readonly schema: JsonSchema
  /** Markdown below the table of options. */
  readonly notes?: string | undefined
}

/** A table of all variants, in which each name links to its section. */
export function variantList(headings: readonly [string, string], variants: readonly Variant[]): string {
  return table(
    headings,
    variants.map(({ name, about }) => [linkTo(name), plain(about)]),
  )
}

/** A link to the section of a variant. */
export const linkTo = (name: string) => `[\`${name}\`](#${name})`

/**
 * A section for each variant: its name as the heading, its description, its options and its notes.
 * omit: the option that selects the variant.
 */
export function variantSections(omit: string, variants: readonly Variant[]): readonly string[] {
  return variants.flatMap(({ name, about, schema, notes }) => [
    `## \`${name}\``,
    plain(sentence(about)),
    fieldTable(schema, [], { omit: [omit] }),
    ...(notes === undefined ? [] : [notes]),
  ])
}
