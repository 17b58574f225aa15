import { writeFileSync } from 'node:fs'
import { encodeTensors, type WritableTensor } from '../../artifacts/format/safetensors.ts'
import { deviceData, toyModels, toyOriginals, trainOriginal } from '../support/toy.ts'

/**
 * Trains the originals of the toy models, to be run when tests/support/toy.ts has changed: `npx tsx
 * tests/reference/make_toy.ts`.
 */
const vector = (values: Float32Array): WritableTensor => ({ dtype: 'F32', shape: [values.length], values })

const data = deviceData()
const tensors: Record<string, WritableTensor> = {}
for (const [model, layers] of Object.entries(toyModels)) {
  const { trained, statistics } = await trainOriginal(layers, data)
  tensors[`${model}.trained`] = vector(trained)
  tensors[`${model}.statistics`] = vector(statistics)
}
data.dispose()
writeFileSync(toyOriginals, encodeTensors(tensors))
