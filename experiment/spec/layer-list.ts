import { z } from 'zod'
import type { Layer, LinearLayer } from '../models/layers.ts'

/** The schema of a list of layers, as plug-ins return it and specs record it. */

const size = z.int().min(1).max(65_536)
const named = { name: z.string().regex(/^[^\s*[\]=]{1,128}$/, 'text without spaces and without * [ ] =') }

const linear = z.strictObject({
  kind: z.literal('linear'),
  ...named,
  in: size,
  out: size,
  bias: z.boolean().exactOptional(),
  initial: z.literal('uniform').exactOptional(),
  initialScale: z.number().gt(0).exactOptional(),
}) satisfies z.ZodType<LinearLayer>

const layer: z.ZodType<Layer> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    linear,
    z.strictObject({
      kind: z.literal('conv'),
      ...named,
      in: size,
      out: size,
      kernel: size,
      stride: size,
      padding: z.int().min(0).exactOptional(),
      bias: z.boolean(),
      initial: z.literal('identity').exactOptional(),
    }),
    z.strictObject({
      kind: z.literal('batch-norm'),
      ...named,
      channels: size,
      scale: z.boolean().exactOptional(),
      momentum: z.number().min(0).lt(1).exactOptional(),
      epsilon: z.number().gt(0).exactOptional(),
    }),
    z.strictObject({ kind: z.literal('relu'), ...named }),
    z.strictObject({
      kind: z.literal('max-pool'),
      ...named,
      size,
      stride: size.exactOptional(),
      padding: z.int().min(0).exactOptional(),
    }),
    z.strictObject({ kind: z.literal('global-average-pool'), ...named }),
    z.strictObject({ kind: z.literal('flatten'), ...named }),
    z.strictObject({
      kind: z.literal('residual'),
      ...named,
      body: z.array(layer).readonly(),
      shortcut: z.array(layer).readonly(),
    }),
    z.strictObject({ kind: z.literal('layer-norm'), ...named, channels: size, epsilon: z.number().gt(0) }),
    z.strictObject({ kind: z.literal('gelu'), ...named, tanh: z.boolean() }),
    z.strictObject({
      kind: z.literal('tokens'),
      ...named,
      channels: size,
      patches: size,
      distillation: z.boolean(),
    }),
    z.strictObject({
      kind: z.literal('attention'),
      ...named,
      heads: size,
      query: linear,
      key: linear,
      value: linear,
    }),
    z.strictObject({ kind: z.literal('first-tokens'), ...named, count: size }),
  ]),
)

export const layerListSchema = z.array(layer).min(1).max(10_000).readonly()
