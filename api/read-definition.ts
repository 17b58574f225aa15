import { z } from 'zod'
import { UserError } from '../common/errors.ts'
import type { MethodDefinition } from '../unlearning/define-method.ts'

/** The keys that every row of a config may have, so that no option can have their names. */
const reserved = ['method', 'label', 'tune'] as const

const definitionSchema = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name of letters, digits and . _ -, 64 characters at most'),
  about: z.string().min(1),
  options: z.instanceof(z.ZodObject),
  relabels: z.boolean().optional(),
  unlearn: z.custom<MethodDefinition['unlearn']>((value) => typeof value === 'function', 'a function'),
})

/**
 * Returns the method that a module exports as its default. `where` names the module in a UserError.
 */
export function definitionIn(module: unknown, where: string): MethodDefinition {
  const value: unknown = (module as { readonly default?: unknown }).default
  const { data, error } = definitionSchema.safeParse(value)
  if (!data)
    throw new UserError(
      `${where}: the default export is no method: ${reasons(error)}. Export the result of defineMethod({ name, about, options, unlearn })`,
    )
  const taken = reserved.find((key) => key in data.options.shape)
  if (taken !== undefined)
    throw new UserError(
      `${where}: the method has an option "${taken}", which every row of a config has already; rename the option`,
    )
  const { relabels, ...definition } = data
  return { ...definition, ...(relabels !== undefined && { relabels }) }
}

function reasons(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ')
}
