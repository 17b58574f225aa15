import { z } from 'zod'
import { pluginOptionsSchema, pluginRefSchema } from './plugin.ts'

/** The shift targets t_l of residual feature alignment (see unlearning/methods/rfa.ts). */
const fixedTargetNames = [
  'retained-mean',
  'random-retained',
  'nearest-centroid',
  'nearest-retained',
  'unseen-neighbour',
  'random-init',
  'unseen-margin',
] as const
export type FixedTargetName = (typeof fixedTargetNames)[number]
export const targetNames = [...fixedTargetNames, 'leave-out', 'leave-out-top'] as const
export type TargetName = (typeof targetNames)[number]

/** The target of a plug-in in a spec. */
const pluginTargetSchema = z.strictObject({ plugin: pluginRefSchema, options: pluginOptionsSchema })
export type PluginTarget = z.output<typeof pluginTargetSchema>

const DEFAULT = 'random-retained'

/** The option `target` of a spec. */
export const targetSchema = z.union([z.enum(targetNames), pluginTargetSchema]).default(DEFAULT)

/** The option `target` of a config, where plug-ins may be named besides the built-in targets. */
export const builtInTargetSchema = z
  .enum(targetNames)
  .default(DEFAULT)
  .describe('the features t_l that samples of the forget set are shifted to')

/** The name of a target. */
export function targetName(target: TargetName | PluginTarget): string {
  return typeof target === 'string' ? target : target.plugin.name
}
