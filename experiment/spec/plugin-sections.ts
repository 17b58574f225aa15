import { z } from 'zod'
import { builtInDataSchemas } from './data.ts'
import { attackSchemaWith } from './judgement.ts'
import { builtInModelSchemas } from './model.ts'
import { builtInRowSchemas } from './methods.ts'
import { mappingSchemas } from './plugin-places.ts'
import { MODULE } from './score.ts'
import { builtInTargetSchema, targetNames } from './target.ts'
import type { Plugins } from './plugin.ts'

/** The sections of a config in which plug-ins may be named. */
export function sectionsWith(plugins: Plugins) {
  return {
    data: z
      .discriminatedUnion('name', [...builtInDataSchemas, ...mappingSchemas('reader', plugins)])
      .describe(DATA),
    model: z
      .discriminatedUnion('name', [...builtInModelSchemas, ...mappingSchemas('model', plugins)])
      .describe(MODEL),
    methods: z
      .array(z.discriminatedUnion('method', [...rowsWith(plugins), ...mappingSchemas('method', plugins)]))
      .min(1)
      .describe(METHODS),
    attack: attackSchemaWith(scoreSchemaWith(plugins)),
  }
}

/** The rows of built-in methods, where the target of `rfa` may also be one of the plug-ins. */
function rowsWith(plugins: Plugins): typeof builtInRowSchemas {
  const { target: named } = plugins
  const [first, ...others] = mappingSchemas('target', plugins)
  if (!named || !first) return builtInRowSchemas
  const target = z
    .union([z.enum([...targetNames, ...named.keys()]), z.discriminatedUnion('name', [first, ...others])])
    .optional()
    .describe(builtInTargetSchema.description ?? '')
  // The types stay those of configs without plug-ins, whose names no type can know.
  return builtInRowSchemas.map((schema: z.ZodObject) =>
    'target' in schema.shape ? schema.extend({ target }) : schema,
  ) as unknown as typeof builtInRowSchemas
}

export const DATA = 'the data set'
export const MODEL = 'the architecture, or a pre-trained model'
export const METHODS = 'the rows of the table, in this order'

function scoreSchemaWith(plugins: Plugins) {
  const [first, ...others] = mappingSchemas('score', plugins)
  return first ? z.discriminatedUnion('score', [first, ...others]) : otherScore
}

/** An entry of `attack.scores` that names no module. */
const otherScore = z.looseObject({
  score: z
    .string()
    .regex(MODULE, 'the path of a module, such as ./my-score.ts, or an installed package')
    .describe(
      'the path of a module, relative to the config, or a package; its options stand beside it, and ./zeroshift schema --with MODULE knows them',
    ),
})
