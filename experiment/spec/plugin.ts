import { z } from 'zod'
import { rowTuneSchema } from './tune.ts'

/**
 * Methods that are no part of this repository. A config names such a plug-in by the path of its
 * module or by the name of a package. Its row in the spec names the bundle of the module by digest.
 */

export const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._=+-]{0,63}$/, 'letters, digits, spaces and . _ = + - only, 64 at most')
  .optional()
  .describe("the row's name in tables; the method's name unless given")

/** The row of a plug-in in a spec. The place of the module is no part of it. */
export const pluginRowSchema = z.strictObject({
  method: z.literal('plugin'),
  label,
  plugin: z.strictObject({
    /** The name that the module gives the method. */
    name: z.string(),
    /** The SHA-256 and the size of the bundle. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the 64 hexadecimal digits of a SHA-256'),
    bytes: z.int().min(1),
    relabels: z.boolean(),
  }),
  /** The options of the method with their defaults. */
  options: z.record(z.string(), z.json()),
  tune: rowTuneSchema,
})

export type PluginRow = z.output<typeof pluginRowSchema>
/** The identity of a plug-in. */
export type PluginRef = PluginRow['plugin']

/** A plug-in whose module was bundled and executed to learn its options. */
export interface LoadedPlugin {
  readonly ref: PluginRef
  readonly about: string
  readonly options: z.ZodObject
}

/** Plug-ins by the text that a config has as `method`. A text instead of one says what is wrong. */
export type Plugins = ReadonlyMap<string, LoadedPlugin | string>

export const noPlugins: Plugins = new Map()
