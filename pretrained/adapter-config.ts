import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../common/errors.ts'
import { readJsonFile } from './json-file.ts'
import { expressionOf, UnknownExpression } from './regular-expression.ts'

/** `adapter_config.json` of a LoRA adapter, with PEFT's defaults. */
const schema = z.looseObject({
  peft_type: z.string(),
  r: z.int().min(1).default(8),
  lora_alpha: z.number().default(8),
  use_rslora: z.boolean().default(false),
  rank_pattern: z.record(z.string(), z.int().min(1)).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  bias: z.string().default('none'),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
})

export interface AdapterConfig {
  readonly rank: number
  readonly alpha: number
  readonly rslora: boolean
  readonly ranks: readonly Pattern[]
  readonly alphas: readonly Pattern[]
  /** Whether a layer has an update; undefined if the setting cannot be interpreted here. */
  readonly targets: ((module: string) => boolean) | undefined
  /**
   * Whether a layer's own parameters are replaced, because it or a layer that contains it is named.
   */
  readonly isSaved: (module: string) => boolean
}

interface Pattern {
  readonly matches: (module: string) => boolean
  readonly value: number
}

/** Settings that change the model or have tensors of their own. They are refused. */
const unknownHere = [
  'use_dora',
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'fan_in_fan_out',
  'layer_replication',
  'trainable_token_indices',
  'target_parameters',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'monteclora_config',
  'velora_config',
]

/** Initialisations of A and B that leave the base model's weights unchanged. */
const harmlessStarts = [true, false, 'gaussian', 'eva', 'orthogonal']

/** Reads `adapter_config.json`. Throws a UserError that names unsupported settings. */
export async function readAdapterConfig(directory: string): Promise<AdapterConfig> {
  const file = join(directory, 'adapter_config.json')
  const config = await readJsonFile(file, schema)
  const refuse = (what: string) => new UserError(`${file}: ${what}`)
  if (!config) throw new UserError(`${file} is missing; expected an adapter in PEFT's layout`)
  if (config.peft_type !== 'LORA')
    throw refuse(`the peft_type is ${JSON.stringify(config.peft_type)}, expected "LORA"`)
  const strange = unknownHere.find((name) => isSet(config[name]))
  if (strange !== undefined)
    throw refuse(`${strange} is ${JSON.stringify(config[strange])}, and is not known here`)
  if (config.bias !== 'none') throw refuse(`bias is "${config.bias}", expected "none"`)
  const start = config.init_lora_weights ?? true
  if (!harmlessStarts.includes(start))
    throw refuse(
      `init_lora_weights is "${start}", which changes the base model's weights as well; convert the adapter to plain LoRA ` +
        '(path_initial_model_for_weight_conversion of save_pretrained in PEFT)',
    )

  const whole = (key: string, source: string, afterAnyPrefix = false) => {
    try {
      return expressionOf(source, { afterAnyPrefix })
    } catch (error) {
      if (!(error instanceof UnknownExpression)) throw error
      throw refuse(
        `${key}: ${JSON.stringify(source.slice(0, 80))} is no regular expression that is read here: ${error.message}; ` +
          'expected names, ".", classes, groups, alternatives and repetitions',
      )
    }
  }
  const patterns = (key: 'rank_pattern' | 'alpha_pattern') =>
    Object.entries(config[key] ?? {}).map(([source, value]) => ({
      matches: whole(key, source, true),
      value,
    }))
  const { target_modules: targets, modules_to_save: saved } = config
  const isWhole = !isSet(config.exclude_modules) && !isSet(config.layers_to_transform)
  return {
    rank: config.r,
    alpha: config.lora_alpha,
    rslora: config.use_rslora,
    ranks: patterns('rank_pattern'),
    alphas: patterns('alpha_pattern'),
    targets: targets && isWhole && targets !== 'all-linear' ? targeting(targets, whole) : undefined,
    isSaved: (module) => wholes(module).some((whole) => (saved ?? []).some((end) => whole.endsWith(end))),
  }
}

/** The name of a layer and of all layers that contain it. */
function wholes(module: string): readonly string[] {
  const parts = module.split('.')
  return parts.map((_, i) => parts.slice(0, i + 1).join('.'))
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

/** A list has names or suffixes of names; a text is a regular expression. */
function targeting(
  targets: readonly string[] | string,
  whole: (key: string, source: string) => (module: string) => boolean,
) {
  if (typeof targets === 'string') return whole('target_modules', targets)
  return (module: string) => targets.some((end) => module === end || module.endsWith(`.${end}`))
}

/** The rank of a layer. As in PEFT, the first matching pattern counts. */
export function rankOf({ rank, ranks }: AdapterConfig, module: string): number {
  return ranks.find(({ matches }) => matches(module))?.value ?? rank
}

export function alphaOf({ alpha, alphas }: AdapterConfig, module: string): number {
  return alphas.find(({ matches }) => matches(module))?.value ?? alpha
}
