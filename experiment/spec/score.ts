import { z } from 'zod'
import { label, pluginOptionsSchema, pluginRefSchema } from './plugin.ts'

/** Attack scores that plug-ins define: the list `attack.scores`. */

export const scoreLabel = label.describe("the score's name in tables; that of the plug-in unless given")

/** The names of modules: paths, and packages with a scope. */
export const MODULE = /^(\.{1,2}\/|\/|@)/

/** A score of a plug-in in a spec. */
export const pluginScoreSchema = z.strictObject({
  label: label.unwrap(),
  plugin: pluginRefSchema,
  options: pluginOptionsSchema,
})
export type PluginScore = z.output<typeof pluginScoreSchema>
