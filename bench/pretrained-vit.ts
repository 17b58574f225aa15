import type { VitArchitecture } from '../experiment/models/pretrained.ts'

/** The transformer that bench/pretrain.py trains and bench/steps.ts measures. */
export const pretrainedVit: VitArchitecture = {
  kind: 'vit',
  family: 'vit',
  image: [32, 32],
  patch: 8,
  channels: 3,
  width: 192,
  layers: 12,
  heads: 3,
  mlp: 768,
  activation: 'gelu',
  epsilon: 1e-12,
  qkvBias: true,
  distilled: false,
}
