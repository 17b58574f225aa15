import { airbenchLayers } from './airbench.ts'
import type { Architecture, CheckpointFacts } from './pretrained.ts'
import type { Layer, Shape } from './layers.ts'
import { resnetLayers } from './resnet.ts'
import type { ModelSpec } from '../spec/model.ts'
import { vitLayers } from './vit.ts'

/**
 * Models as lists of named layers. A list depends on the spec alone, so that the layer patterns and
 * ranks of a config are checked before anything runs. `learning/model.ts` computes with the layers.
 */

/** The layers of a model, in forward order. */
export function layersOf(
  model: ModelSpec,
  [height, width, channels]: Shape,
  classes: number,
): readonly Layer[] {
  switch (model.name) {
    case 'mlp': {
      const sizes = [height * width * channels, ...model.hidden]
      return [
        { kind: 'flatten', name: 'flatten' },
        ...model.hidden.flatMap((out, i): Layer[] => [
          { kind: 'linear', name: `linear${i + 1}`, in: sizes[i] ?? 0, out },
          { kind: 'relu', name: `relu${i + 1}` },
        ]),
        { kind: 'linear', name: 'head', in: sizes.at(-1) ?? 0, out: classes },
      ]
    }
    case 'cnn': {
      const [first, second] = model.channels
      const pooled = Math.ceil(Math.ceil(height / 2) / 2) * Math.ceil(Math.ceil(width / 2) / 2)
      return [
        { kind: 'conv', name: 'conv1', in: channels, out: first, kernel: 3, stride: 1, bias: true },
        { kind: 'relu', name: 'relu1' },
        { kind: 'max-pool', name: 'pool1', size: 2 },
        { kind: 'conv', name: 'conv2', in: first, out: second, kernel: 3, stride: 1, bias: true },
        { kind: 'relu', name: 'relu2' },
        { kind: 'max-pool', name: 'pool2', size: 2 },
        { kind: 'flatten', name: 'flatten' },
        { kind: 'linear', name: 'linear1', in: pooled * second, out: model.hidden },
        { kind: 'relu', name: 'relu3' },
        { kind: 'linear', name: 'head', in: model.hidden, out: classes },
      ]
    }
    case 'airbench':
      return airbenchLayers(model.widths, [height, width, channels], classes)
    case 'pretrained': {
      return architectureLayers(checkpointOf(model).architecture, classes)
    }
    case 'plugin': {
      if (!model.layers) throw new Error('the layers of a model of a plug-in are not known before its data')
      return model.layers
    }
    case 'resnet-cifar': {
      const { widths, blocks } = residualStages(model)
      const layers: Layer[] = [
        ...convNorm('stem', channels, widths[0] ?? 0, 3, 1),
        { kind: 'relu', name: 'stem.relu' },
      ]
      let current = widths[0] ?? 0
      widths.forEach((out, stage) => {
        for (let block = 0; block < blocks; block++) {
          const name = `stage${stage + 1}.${block}`
          const stride = stage > 0 && block === 0 ? 2 : 1
          layers.push(
            {
              kind: 'residual',
              name: `${name}.sum`,
              body: [
                ...convNorm(`${name}.conv1`, current, out, 3, stride),
                { kind: 'relu', name: `${name}.relu1` },
                ...convNorm(`${name}.conv2`, out, out, 3, 1),
              ],
              shortcut:
                stride === 1 && current === out ? [] : convNorm(`${name}.shortcut`, current, out, 1, stride),
            },
            { kind: 'relu', name: `${name}.relu2` },
          )
          current = out
        }
      })
      return [
        ...layers,
        { kind: 'global-average-pool', name: 'pool' },
        { kind: 'linear', name: 'head', in: current, out: classes },
      ]
    }
  }
}

export function architectureLayers(architecture: Architecture, classes: number): readonly Layer[] {
  return architecture.kind === 'vit' ? vitLayers(architecture, classes) : resnetLayers(architecture, classes)
}

/** The facts that a checkpoint's files give. Every spec that is ready to run has them. */
export function checkpointOf({
  checkpoint,
  from,
}: Extract<ModelSpec, { name: 'pretrained' }>): CheckpointFacts {
  if (!checkpoint) throw new Error(`the checkpoint of ${from ?? 'the model'} has not been read`)
  return checkpoint
}

/**
 * The width of each stage and the blocks per stage: He et al. 2016, section 4.2 (depth 6n + 2), or
 * the usual ResNet-18 with a 3×3 stem.
 */
function residualStages({ depth, width }: Extract<ModelSpec, { name: 'resnet-cifar' }>): {
  widths: readonly number[]
  blocks: number
} {
  const first = width ?? (depth === 'resnet18' ? 64 : 16)
  if (depth === 'resnet18') return { widths: [first, 2 * first, 4 * first, 8 * first], blocks: 2 }
  return { widths: [first, 2 * first, 4 * first], blocks: Math.floor((depth - 2) / 6) }
}

function convNorm(name: string, from: number, to: number, kernel: number, stride: number): Layer[] {
  return [
    { kind: 'conv', name, in: from, out: to, kernel, stride, bias: false },
    { kind: 'batch-norm', name: `${name}.norm`, channels: to },
  ]
}
