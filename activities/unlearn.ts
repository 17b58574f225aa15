import { encodeTensors } from '../artifacts/safetensors.ts'
import { layersOf } from '../experiment/model.ts'
import { toPeft } from '../learning/peft.ts'
import { tensorflowEnvironment } from '../learning/tf.ts'
import { loadMethod, type Unlearned } from '../unlearning/method.ts'
import type { ApproximateMethodName } from '../experiment/methods.ts'
import { deviceData, encodeWeights, floats, readWeights } from './device.ts'
import type { StageBody } from './stage.ts'
import { readSplit } from './stored.ts'

export const unlearn: StageBody<'unlearn'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { method, model, training, seed } = stage.params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const original = await readWeights(artifacts, inputs.original, layers)
  const { retained, forget, validation } = await readSplit(artifacts, inputs.split)
  const run = await loadMethod<ApproximateMethodName>(method.method)
  const { data } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const { result, seconds } = await timed(() =>
      run(method, { layers, original, data, retained, forget, validation, training, seed, host }),
    )
    return {
      outputs: {
        model: encodeWeights(layers, result.weights),
        ...(result.adapter ? adapterFiles(result.adapter) : {}),
      },
      metrics: result.metrics,
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    data.dispose()
  }
}

function adapterFiles({ lora, parameters }: NonNullable<Unlearned['adapter']>) {
  const { config, tensors } = toPeft(lora, parameters)
  return {
    'adapter_config.json': new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`),
    'adapter_model.safetensors': encodeTensors(floats(tensors), { format: 'pt' }),
  }
}
