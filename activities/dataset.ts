import { setSizes } from '../experiment/check.ts'
import { readDataset } from '../learning/datasets/index.ts'
import { partition, pixelStatistics } from '../learning/partition.ts'
import { findDataDirectory } from './data-directory.ts'
import { encodeDataset } from './stored.ts'
import type { StageBody } from './stage.ts'

export const dataset: StageBody<'dataset'> = async ({ stage, settings, timed }) => {
  const { data, seed } = stage.params
  const directory = await findDataDirectory(data, settings)
  const { result, seconds } = await timed(async () => {
    const { samples, trainable, facts } = await readDataset(data, directory)
    const parts = partition(setSizes(data, facts), trainable, seed)
    const { mean, deviation } = pixelStatistics(samples.images, parts.train, facts.shape)
    return { images: samples.images, labels: Int32Array.from(samples.labels), ...parts, mean, deviation }
  })
  return {
    outputs: { dataset: encodeDataset(result) },
    metrics: { train: result.train.length, validation: result.validation.length, test: result.test.length },
    seconds,
  }
}
