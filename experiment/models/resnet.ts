import type { ResnetArchitecture } from './pretrained.ts'
import type { Layer } from './layers.ts'

/** The name of the last linear layer. */
export const resnetHead = 'classifier.1'

/** The ratio of the width of a bottleneck's ends to the width of its middle. */
const REDUCTION = 4

/**
 * The layers of a residual network under the names of published checkpoints. The output of a block
 * is the layer `resnet.encoder.stages.<s>.layers.<i>`. Padding is symmetric, as in PyTorch.
 */
export function resnetLayers(resnet: ResnetArchitecture, classes: number): readonly Layer[] {
  const { channels, embedding, widths, depths } = resnet
  const layers: Layer[] = [
    ...convNorm('resnet.embedder.embedder', channels, embedding, 7, 2),
    { kind: 'relu', name: 'resnet.embedder.embedder.activation' },
    { kind: 'max-pool', name: 'resnet.embedder.pooler', size: 3, stride: 2, padding: 1 },
  ]
  let current = embedding
  widths.forEach((out, stage) => {
    for (let i = 0; i < (depths[stage] ?? 0); i++) {
      const strided = i === 0 && (stage > 0 || resnet.downsampleInFirstStage)
      layers.push(
        ...block(`resnet.encoder.stages.${stage}.layers.${i}`, current, out, strided ? 2 : 1, resnet),
      )
      current = out
    }
  })
  return [
    ...layers,
    { kind: 'global-average-pool', name: 'resnet.pooler' },
    { kind: 'linear', name: resnetHead, in: current, out: classes },
  ]
}

function block(
  name: string,
  from: number,
  to: number,
  stride: number,
  { block: kind, downsampleInBottleneck }: ResnetArchitecture,
): Layer[] {
  const part = (i: number) => `${name}.layer.${i}`
  const relu = (i: number): Layer => ({ kind: 'relu', name: `${part(i)}.activation` })
  const narrow = Math.floor(to / REDUCTION)
  const body =
    kind === 'basic'
      ? [...convNorm(part(0), from, to, 3, stride), relu(0), ...convNorm(part(1), to, to, 3, 1)]
      : [
          ...convNorm(part(0), from, narrow, 1, downsampleInBottleneck ? stride : 1),
          relu(0),
          ...convNorm(part(1), narrow, narrow, 3, downsampleInBottleneck ? 1 : stride),
          relu(1),
          ...convNorm(part(2), narrow, to, 1, 1),
        ]
  return [
    {
      kind: 'residual',
      name: `${name}.sum`,
      body,
      shortcut: stride === 1 && from === to ? [] : convNorm(`${name}.shortcut`, from, to, 1, stride),
    },
    { kind: 'relu', name },
  ]
}

function convNorm(name: string, from: number, to: number, kernel: number, stride: number): Layer[] {
  return [
    {
      kind: 'conv',
      name: `${name}.convolution`,
      in: from,
      out: to,
      kernel,
      stride,
      padding: Math.floor(kernel / 2),
      bias: false,
    },
    { kind: 'batch-norm', name: `${name}.normalization`, channels: to },
  ]
}
