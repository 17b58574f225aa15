import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { readPreparation } from '../../../pretrained/preparation.ts'
import type { Architecture } from '../../../experiment/models/pretrained.ts'
import { testDirectory } from '../../support/directories.ts'
import { tinyResnet, tinyVit } from '../../support/tiny-checkpoint.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

const half = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] }
const prepared = (architecture: Architecture, config?: object) => {
  if (config) writeFileSync(join(directory, 'preprocessor_config.json'), JSON.stringify(config))
  return readPreparation(directory, architecture)
}
const vit224: Architecture = { ...tinyVit, image: [224, 224] }

test('without a file: the size that the model is made for, and no normalisation of its own', async () => {
  expect(await prepared(tinyVit)).toEqual({ filter: 'bilinear', resize: { to: [8, 8] } })
  expect(await prepared(tinyResnet)).toEqual({ filter: 'bilinear' })
})

// These are the values in the files of google/vit-base-patch16-224,
// facebook/deit-tiny-distilled-patch16-224 and microsoft/resnet-50.
test.each([
  [
    vit224,
    { image_processor_type: 'ViTImageProcessor', size: 224 },
    { filter: 'bilinear', resize: { to: [224, 224] }, normalise: half },
  ],
  [
    vit224,
    {
      feature_extractor_type: 'DeiTFeatureExtractor',
      size: 256,
      resample: 3,
      do_center_crop: true,
      crop_size: 224,
      image_mean: [0.485, 0.456, 0.406],
      image_std: [0.229, 0.224, 0.225],
    },
    {
      filter: 'bicubic',
      resize: { shortestEdge: 256 },
      crop: [224, 224],
      normalise: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
    },
  ],
  [
    tinyResnet,
    {
      feature_extractor_type: 'ConvNextFeatureExtractor',
      size: { shortest_edge: 224 },
      crop_pct: 0.875,
      resample: 3,
    },
    { filter: 'bicubic', resize: { shortestEdge: 256 }, crop: [224, 224], normalise: half },
  ],
  [
    tinyResnet,
    { image_processor_type: 'ConvNextImageProcessorFast', size: { shortest_edge: 384 }, do_normalize: false },
    { filter: 'bilinear', resize: { to: [384, 384] }, normalise: { mean: [0, 0, 0], deviation: [1, 1, 1] } },
  ],
  [
    tinyVit,
    { image_processor_type: 'ViTImageProcessor', do_resize: false },
    { filter: 'bilinear', normalise: half },
  ],
] as const)('%#', async (architecture, config, expected) => {
  expect(await prepared(architecture, config)).toEqual(expected)
})

test.each([
  [{ image_processor_type: 'CLIPImageProcessor' }, '"CLIPImageProcessor" is not known here'],
  [{ size: 8 }, 'the image processor is not named'],
  [{ image_processor_type: 'ViTImageProcessor', size: 8, resample: 1 }, 'resample is 1'],
  [{ image_processor_type: 'ViTImageProcessor', size: 8, do_rescale: false }, 'not rescaled by 1/255'],
  [
    { image_processor_type: 'ViTImageProcessor', size: 8, image_mean: [0.5] },
    'image_mean has 1 numbers, expected 3',
  ],
  [
    { image_processor_type: 'ViTImageProcessor', size: 9 },
    'images come out at 9×9, and config.json says that the model takes 8×8',
  ],
])('%o is refused', async (config, message) => {
  await expect(prepared(tinyVit, config)).rejects.toThrow(message)
})
