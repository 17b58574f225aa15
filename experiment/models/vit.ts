import type { VitArchitecture } from './pretrained.ts'
import type { Layer, LinearLayer } from './layers.ts'

/** The name of an encoder's last linear layer, which classifies. */
export const vitHead = 'classifier'

/**
 * The layers of a vision transformer under the names of published checkpoints. The output of block
 * i is the layer `<family>.encoder.layer.<i>`. If the distillation token is classified too, one
 * linear layer over both tokens stands for the two heads, since the mean of two linear functions is
 * linear in both tokens.
 */
export function vitLayers(vit: VitArchitecture, classes: number): readonly Layer[] {
  const { family, width, patch, image, channels, epsilon, distilled } = vit
  const norm = (name: string): Layer => ({ kind: 'layer-norm', name, channels: width, epsilon })
  return [
    {
      kind: 'conv',
      name: `${family}.embeddings.patch_embeddings.projection`,
      in: channels,
      out: width,
      kernel: patch,
      stride: patch,
      padding: 0,
      bias: true,
    },
    {
      kind: 'tokens',
      name: `${family}.embeddings`,
      channels: width,
      patches: Math.floor(image[0] / patch) * Math.floor(image[1] / patch),
      // DeiT has the token even if it is not classified.
      distillation: family === 'deit',
    },
    ...Array.from({ length: vit.layers }, (_, i) => block(`${family}.encoder.layer.${i}`, vit)).flat(),
    norm(`${family}.layernorm`),
    { kind: 'first-tokens', name: 'tokens', count: distilled ? 2 : 1 },
    { kind: 'linear', name: vitHead, in: distilled ? 2 * width : width, out: classes },
  ]
}

function block(name: string, { width, heads, mlp, activation, epsilon, qkvBias }: VitArchitecture): Layer[] {
  const projection = (part: string): LinearLayer => ({
    kind: 'linear',
    name: `${name}.attention.attention.${part}`,
    in: width,
    out: width,
    ...(!qkvBias && { bias: false }),
  })
  return [
    {
      kind: 'residual',
      name: `${name}.attended`,
      body: [
        { kind: 'layer-norm', name: `${name}.layernorm_before`, channels: width, epsilon },
        {
          kind: 'attention',
          name: `${name}.attention.attention`,
          heads,
          query: projection('query'),
          key: projection('key'),
          value: projection('value'),
        },
        { kind: 'linear', name: `${name}.attention.output.dense`, in: width, out: width },
      ],
      shortcut: [],
    },
    {
      kind: 'residual',
      name,
      body: [
        { kind: 'layer-norm', name: `${name}.layernorm_after`, channels: width, epsilon },
        { kind: 'linear', name: `${name}.intermediate.dense`, in: width, out: mlp },
        activation === 'relu'
          ? { kind: 'relu', name: `${name}.intermediate.activation` }
          : { kind: 'gelu', name: `${name}.intermediate.activation`, tanh: activation === 'gelu-tanh' },
        { kind: 'linear', name: `${name}.output.dense`, in: mlp, out: width },
      ],
      shortcut: [],
    },
  ]
}
