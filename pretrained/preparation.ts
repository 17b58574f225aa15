import { join } from 'node:path'
import { z } from 'zod'
import type { Architecture, Preparation } from '../experiment/models/pretrained.ts'
import { checkpointError, readJsonFile } from './json-file.ts'

const side = z.int().min(1).max(100_000)
const sizes = z.union([
  side.transform((edge) => ({ edge })),
  z.object({ height: side, width: side }),
  z.object({ shortest_edge: side }).transform((size) => ({ edge: size.shortest_edge })),
])

const processor = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_resize: z.boolean().default(true),
  size: sizes.optional(),
  resample: z.int().optional(),
  do_center_crop: z.boolean().optional(),
  crop_size: sizes.optional(),
  crop_pct: z.number().gt(0).max(1).nullish(),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: z.union([z.array(z.number()), z.number()]).optional(),
  image_std: z.union([z.array(z.number().positive()), z.number().positive()]).optional(),
})

/** Pillow's numbers of its filters. */
const filters: Readonly<Record<number, Preparation['filter']>> = { 0: 'nearest', 2: 'bilinear', 3: 'bicubic' }

/**
 * The defaults of each family of transformers' image processors. Processors of other families are
 * refused, since they may do anything.
 */
const families: Readonly<
  Record<string, { resample: number; crops: boolean; percent?: number; edge: number; crop: number }>
> = {
  ViT: { resample: 2, crops: false, edge: 224, crop: 224 },
  DeiT: { resample: 3, crops: true, edge: 256, crop: 224 },
  ConvNext: { resample: 2, crops: false, percent: 224 / 256, edge: 384, crop: 384 },
}

/** From this size on, ConvNeXt's processor resizes images to a square without cropping. */
const WARPED = 384

/**
 * Reads the preparation of images from `preprocessor_config.json`. Without that file, images are
 * resized to the model's size and normalised by the statistics of the data set. Throws a UserError
 * that names unsupported settings.
 */
export async function readPreparation(directory: string, architecture: Architecture): Promise<Preparation> {
  const file = join(directory, 'preprocessor_config.json')
  const config = await readJsonFile(file, processor)
  const image = architecture.kind === 'vit' ? architecture.image : undefined
  if (!config) return { filter: 'bilinear', ...(image && { resize: { to: image } }) }

  const named = config.image_processor_type ?? config.feature_extractor_type ?? ''
  const name = named.replace(/(ImageProcessor|FeatureExtractor).*$/, '')
  const family = families[name]
  const refuse = (what: string) => checkpointError(`${file}: ${what}`)
  if (!family)
    throw refuse(
      `the image processor ${named === '' ? 'is not named' : `"${named}" is not known here`}; expected one of ` +
        Object.keys(families)
          .map((one) => `${one}ImageProcessor`)
          .join(', '),
    )
  const filter = filters[config.resample ?? family.resample]
  if (!filter)
    throw refuse(`resample is ${config.resample ?? ''}, expected 0 (nearest), 2 (bilinear) or 3 (bicubic)`)
  if (!config.do_rescale || Math.abs(config.rescale_factor - 1 / 255) > 1e-9)
    throw refuse('images are not rescaled by 1/255, as every known checkpoint of this kind wants them')

  const size = config.size ?? { edge: family.edge }
  const squash = (edge: number) => ({ to: [edge, edge] as [number, number] })
  let resize: Preparation['resize']
  let crop: Preparation['crop']
  if (name === 'ConvNext' && 'edge' in size) {
    const percent = config.crop_pct ?? family.percent ?? 1
    resize = size.edge < WARPED ? { shortestEdge: Math.trunc(size.edge / percent) } : squash(size.edge)
    if (size.edge < WARPED) crop = [size.edge, size.edge]
  } else {
    // ViT's processor has no shortest edge: a single number is both sides.
    if ('edge' in size) resize = name === 'ViT' ? squash(size.edge) : { shortestEdge: size.edge }
    else resize = { to: [size.height, size.width] }
    if (config.do_center_crop ?? family.crops) {
      const cut = config.crop_size ?? { edge: family.crop }
      crop = 'edge' in cut ? [cut.edge, cut.edge] : [cut.height, cut.width]
    }
  }
  if (!config.do_resize) resize = undefined

  const channels = architecture.channels
  const vector = (value: number | readonly number[], what: string) => {
    const list = typeof value === 'number' ? new Array<number>(channels).fill(value) : [...value]
    if (list.length !== channels) throw refuse(`${what} has ${list.length} numbers, expected ${channels}`)
    return list
  }
  const normalise = config.do_normalize
    ? {
        mean: vector(config.image_mean ?? 0.5, 'image_mean'),
        deviation: vector(config.image_std ?? 0.5, 'image_std'),
      }
    : { mean: vector(0, 'image_mean'), deviation: vector(1, 'image_std') }

  const known = crop ?? (resize && 'to' in resize ? resize.to : undefined)
  if (image && known && known.join() !== image.join())
    throw refuse(
      `images come out at ${known.join('×')}, and config.json says that the model takes ${image.join('×')}`,
    )
  return { filter, normalise, ...(resize && { resize }), ...(crop && { crop }) }
}
