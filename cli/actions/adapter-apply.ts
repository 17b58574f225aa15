import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tensor4D } from '@tensorflow/tfjs'
import type { WrittenModel } from '../../pretrained/write.ts'
import { UserError } from '../../common/errors.ts'
import { architectureLayers } from '../../experiment/models/model.ts'
import { readRegularFile, unreadable } from '../../common/regular-file.ts'
import { oneLine } from '../../common/terminal-text.ts'
import { decodeImage } from '../../datasets/decode.ts'
import { FormatError } from '../../datasets/files.ts'
import { forward } from '../../learning/model/forward.ts'
import { Preparer } from '../../learning/data/prepare.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { adaptedModel, readAdapter, readBase } from '../adapters/adapter-base.ts'
import { coloursOf, columns, print, printError, printJson } from '../output/print.ts'

interface AdapterApplyOptions {
  readonly base: string
  readonly json?: true
}

/** The class that a model predicts for an image, and its probability from 0 to 1. */
type Prediction = { readonly label: string; readonly confidence: number } | { readonly missing: string }

type Applied =
  | { readonly image: string; readonly without: Prediction; readonly with: Prediction }
  | { readonly image: string; readonly error: string }

/**
 * `zeroshift adapter apply`: predicts the classes of images without an adapter and with it. Returns
 * 1 if an image cannot be read.
 */
export async function applyAdapter(
  adapter: string,
  images: readonly string[],
  { base: source, json }: AdapterApplyOptions,
): Promise<number> {
  const files = await readAdapter(adapter)
  const base = await readBase(source)
  const { normalise } = base.preparation
  if (!normalise)
    throw new UserError(
      `${source} has no preprocessor_config.json, so that nothing says how images are normalised; put the file beside its weights`,
    )
  const named = await imagesIn(images)
  const predictors = { without: predictor(base), with: predictor(adaptedModel(base, files)) }
  const applied: Applied[] = []
  for (const image of named) {
    try {
      const pixels = await prepared(image, base, normalise)
      applied.push({ image, without: predictors.without(pixels), with: predictors.with(pixels) })
      pixels.dispose()
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      applied.push({ image, error: error.message })
    }
  }
  const failed = applied.flatMap((one) => ('error' in one ? [one] : []))
  if (json) printJson({ adapter, base: source, images: applied })
  else printPredictions(applied)
  const { red } = coloursOf(process.stderr)
  for (const { image, error } of failed) printError(red(oneLine(`${image} ${error}`)))
  return failed.length > 0 ? 1 : 0
}

/**
 * Returns the files as they are named, and the images of each folder in the order of their names.
 */
async function imagesIn(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const path of paths) {
    const kind = await stat(path).catch(() => undefined)
    if (!kind) throw new UserError(`there is no file and no folder ${path}; expected images`)
    if (!kind.isDirectory()) {
      found.push(path)
      continue
    }
    const names = (await readdir(path)).filter((name) => /\.(png|jpe?g|webp)$/i.test(name)).sort()
    if (names.length === 0) throw new UserError(`${path} has no image; expected .png, .jpg or .webp files`)
    found.push(...names.map((name) => join(path, name)))
  }
  return found
}

/**
 * Returns one image in the form that the model takes, [1, height, width, channels]. Throws a
 * FormatError.
 */
async function prepared(
  image: string,
  { architecture, preparation }: WrittenModel,
  { mean, deviation }: NonNullable<WrittenModel['preparation']['normalise']>,
): Promise<Tensor4D> {
  const channels = architecture.channels === 1 ? 1 : 3
  const bytes = await readRegularFile(image).catch((error: unknown) => {
    const reason = unreadable(error)
    throw reason === undefined ? error : new FormatError(reason)
  })
  const { shape, pixels } = await decodeImage(bytes, { resize: 'squash', channels })
  const preparer = new Preparer(shape, preparation, { channels: architecture.channels, white: 255 })
  try {
    const [height, width] = preparer.shape
    if (architecture.kind === 'vit' && architecture.image.join() !== [height, width].join())
      throw new FormatError(
        `comes out at ${height}×${width} pixels, and the model takes ${architecture.image.join('×')}`,
      )
    return tf.tidy(() =>
      preparer
        .prepare(tf.tensor4d(pixels, [1, ...shape], 'float32'))
        .div(255)
        .sub(tf.tensor1d(mean))
        .div<Tensor4D>(tf.tensor1d(deviation)),
    )
  } finally {
    preparer.dispose()
  }
}

function predictor({ architecture, parameters, labels }: WrittenModel): (image: Tensor4D) => Prediction {
  if (labels.length === 0) return () => ({ missing: 'the checkpoint has no head that classifies' })
  const layers = architectureLayers(architecture, labels.length)
  const named = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, values }]) => [name, tf.tensor(values, [...shape])]),
  )
  return (image) => {
    const shares = tf.tidy(() => tf.softmax(forward(layers, named, image).output).dataSync<'float32'>())
    const confidence = Math.max(...shares)
    return { label: labels[shares.indexOf(confidence)] ?? '', confidence }
  }
}

function printPredictions(applied: readonly Applied[]): void {
  const text = (prediction: Prediction) =>
    'missing' in prediction
      ? [`missing: ${prediction.missing}`, '']
      : [prediction.label, `${(100 * prediction.confidence).toFixed(1)} %`]
  const rows = applied.flatMap((one) =>
    'error' in one ? [] : [[one.image, ...text(one.without), ...text(one.with)]],
  )
  if (rows.length > 0) print(columns([['image', 'without', '', 'with the adapter', ''], ...rows]))
}
