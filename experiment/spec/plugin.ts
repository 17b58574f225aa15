import { z } from 'zod'
import { rowTuneSchema } from './tune.ts'

/**
 * Parts of an experiment that are no part of this repository. A config names such a plug-in by the
 * path of its module or by the name of a package. The spec names the bundle of the module by its
 * digest.
 */

/** What a plug-in defines, and the function of the module `zeroshift` that types the definition. */
export const pluginKinds = {
  method: { noun: 'a method', define: 'defineMethod' },
  score: { noun: 'a score', define: 'defineScore' },
  target: { noun: 'a shift target', define: 'defineTarget' },
  reader: { noun: 'a data reader', define: 'defineReader' },
  model: { noun: 'a model', define: 'defineModel' },
} as const
export type PluginKind = keyof typeof pluginKinds

export const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._=+-]{0,63}$/, 'letters, digits, spaces and . _ = + - only, 64 at most')
  .optional()
  .describe("the row's name in tables; the method's name unless given")

/** The identity of a plug-in. The place of its module is no part of it. */
export const pluginRefSchema = z.strictObject({
  /** The name that the module gives the definition. */
  name: z.string(),
  /** The SHA-256 and the size of the bundle. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the 64 hexadecimal digits of a SHA-256'),
  bytes: z.int().min(1),
})
export type PluginRef = z.output<typeof pluginRefSchema>

/** The options of a plug-in with their defaults. */
export const pluginOptionsSchema = z.record(z.string(), z.json())
export type PluginOptions = z.output<typeof pluginOptionsSchema>

/** The row of a plug-in in a spec. */
export const pluginRowSchema = z.strictObject({
  method: z.literal('plugin'),
  label,
  plugin: pluginRefSchema.extend({ relabels: z.boolean() }),
  options: pluginOptionsSchema,
  tune: rowTuneSchema,
})

/** A plug-in whose module was bundled and executed to learn its options. */
export interface LoadedPlugin {
  readonly kind: PluginKind
  readonly ref: PluginRef
  readonly about: string
  readonly options: z.ZodObject
  /** Whether a method trains on samples under the label of another class. False for other kinds. */
  readonly relabels: boolean
}

/**
 * Plug-ins by their kind and the text by which a config names them. A text instead of one says what
 * is wrong with it.
 */
export type Plugins = Readonly<Partial<Record<PluginKind, ReadonlyMap<string, LoadedPlugin | string>>>>

export const noPlugins: Plugins = {}
