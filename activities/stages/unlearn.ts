import { encodeTensors } from '../../artifacts/format/safetensors.ts'
import { toPeft } from '../../pretrained/peft.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import type { Unlearned } from '../../unlearning/method.ts'
import type { Manifest, ManifestOf } from '../../experiment/records/manifest.ts'
import type { OwnParamsOf } from '../../experiment/stages/stage.ts'
import { encodeWeights, floats } from '../runtime/device.ts'
import type { StageBody } from '../runtime/stage.ts'
import { output } from '../runtime/blob-codecs.ts'
import { prepareMethod } from './apply-method.ts'
import { ensembleFiles } from './ensemble-files.ts'
import { variantAt } from './variant-at.ts'

export const unlearn: StageBody<'unlearn'> = async (context) => {
  const { stage, inputs, timed, host } = context
  const method = inputs.tuned ? variantAt(inputs.tuned, 0) : stage.params.method
  const { layers, data, apply } = await prepareMethod(context, method)
  try {
    const { result, seconds } = await timed(apply)
    return {
      outputs:
        'models' in result
          ? await ensembleFiles(layers, result.models, data, host)
          : {
              model: encodeWeights(layers, result.weights),
              ...(result.adapter ? adapterFiles(result.adapter, stage.params, inputs) : {}),
            },
      metrics: result.metrics,
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    data.dispose()
  }
}

/**
 * The adapter in PEFT's layout. Its metadata name the forget set by digests alone, since an adapter
 * may be published where the forgotten samples must not be known.
 */
function adapterFiles(
  { lora, parameters }: NonNullable<Unlearned['adapter']>,
  { method, model }: OwnParamsOf<'unlearn'>,
  { split, original }: { readonly split: ManifestOf<'split'>; readonly original: Manifest },
) {
  const pretrained = model.name === 'pretrained' ? checkpointOf(model) : undefined
  const { config, tensors } = toPeft(lora, parameters, pretrained?.architecture)
  const origin = pretrained && {
    'zeroshift.method': method.method === 'plugin' ? method.plugin.name : method.method,
    'zeroshift.forgotten': output(split, 'split').sha256,
    'zeroshift.original': output(original, 'model').sha256,
  }
  return {
    'adapter_config.json': new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`),
    'adapter_model.safetensors': encodeTensors(floats(tensors), { format: 'pt', ...origin }),
  }
}
