import { z } from 'zod'
import { UserError } from '../common/errors.ts'
import { otherKind, reservedKeys } from '../experiment/spec/plugin-places.ts'
import { pluginKinds, type PluginKind } from '../experiment/spec/plugin.ts'
import type { ReaderDefinition } from '../datasets/define-reader.ts'
import type { ModelDefinition } from '../experiment/models/define-model.ts'
import { datasetDefinitions } from '../experiment/spec/data.ts'
import type { ScoreDefinition } from '../unlearning/attacks/define-score.ts'
import type { MethodDefinition } from '../unlearning/define-method.ts'
import type { TargetDefinition } from '../unlearning/methods/rfa/define-target.ts'

/** The definitions that plug-ins export, by kind. */
export interface Definitions {
  readonly method: MethodDefinition
  readonly score: ScoreDefinition
  readonly target: TargetDefinition
  readonly reader: ReaderDefinition
  readonly model: ModelDefinition
}

/** A definition with its kind. */
export type Defined = {
  readonly [K in PluginKind]: { readonly kind: K; readonly definition: Definitions[K] }
}[PluginKind]

const common = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name of letters, digits and . _ -, 64 characters at most'),
  about: z.string().min(1),
  options: z.instanceof(z.ZodObject),
}

function functionOf<F>(): z.ZodType<F> {
  return z.custom<F>((value) => typeof value === 'function', 'a function')
}

/** The schemas of definitions. The last key of each tells the kind of a definition. */
const schemas: { readonly [K in PluginKind]: z.ZodType<Definitions[K]> } = {
  method: z.object({
    ...common,
    relabels: z.boolean().exactOptional(),
    unlearn: functionOf<MethodDefinition['unlearn']>(),
  }),
  score: z.object({ ...common, score: functionOf<ScoreDefinition['score']>() }),
  target: z.object({ ...common, target: functionOf<TargetDefinition['target']>() }),
  reader: z.object({
    ...common,
    name: common.name.refine(
      (name) => !datasetDefinitions.some((own) => own.name === name),
      'another name than that of a built-in data set',
    ),
    isDataFile: functionOf<NonNullable<ReaderDefinition['isDataFile']>>().exactOptional(),
    read: functionOf<ReaderDefinition['read']>(),
  }),
  model: z.object({
    ...common,
    layers: z.custom<ModelDefinition['layers']>(
      (value) => typeof value === 'function' || Array.isArray(value),
      'a list of layers, or a function that returns one',
    ),
  }),
}

/** The key of a definition that only definitions of its kind have. */
const distinctive: Readonly<Record<PluginKind, string>> = {
  method: 'unlearn',
  score: 'score',
  target: 'target',
  reader: 'read',
  model: 'layers',
}

const kinds = Object.keys(pluginKinds) as readonly PluginKind[]

/**
 * Returns the definition that a module exports as its default. `where` names the module in a
 * UserError.
 */
export function definitionIn(module: unknown, where: string): Defined {
  const value: unknown = (module as { readonly default?: unknown }).default
  const kind = kinds.find((one) => typeof value === 'object' && value !== null && distinctive[one] in value)
  if (kind === undefined)
    throw new UserError(
      `${where}: the default export is no plug-in: it has none of the properties ${Object.values(distinctive).join(', ')}. ` +
        `Export the result of ${kinds.map((one) => pluginKinds[one].define).join(', ')}`,
    )
  const defined = checked(kind, value, where)
  const { shape } = defined.definition.options
  const taken = reservedKeys(kind).find((key) => key in shape)
  if (taken !== undefined)
    throw new UserError(
      `${where}: the ${kind} has an option "${taken}", which every config of ${pluginKinds[kind].noun} has already; rename the option`,
    )
  return defined
}

function checked(kind: PluginKind, value: unknown, where: string): Defined {
  switch (kind) {
    case 'method':
      return { kind, definition: parsed(kind, schemas.method, value, where) }
    case 'score':
      return { kind, definition: parsed(kind, schemas.score, value, where) }
    case 'target':
      return { kind, definition: parsed(kind, schemas.target, value, where) }
    case 'reader':
      return { kind, definition: parsed(kind, schemas.reader, value, where) }
    case 'model':
      return { kind, definition: parsed(kind, schemas.model, value, where) }
  }
}

function parsed<T>(kind: PluginKind, schema: z.ZodType<T>, value: unknown, where: string): T {
  const { data, error } = schema.safeParse(value)
  if (data !== undefined) return data
  const { noun, define } = pluginKinds[kind]
  throw new UserError(
    `${where}: the default export is no complete definition of ${noun}: ${error ? reasons(error) : ''}. Export the result of ${define}({ … })`,
  )
}

/** Returns the definition of a kind that a module exports. Throws a UserError for another kind. */
export function definitionOf<K extends PluginKind>(module: unknown, kind: K, where: string): Definitions[K] {
  const defined = definitionIn(module, where)
  if (defined.kind !== kind) throw new UserError(otherKind(where, defined.kind, kind))
  return parsed(kind, schemas[kind], defined.definition, where)
}

function reasons(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ')
}
