import type { Scalar, Tensor } from '@tensorflow/tfjs'
import type { ResidualPoint } from '../../experiment/manifest.ts'
import { adaptableLayers, flattenLayers, matchesPattern } from '../../experiment/model.ts'
import { Batches, labelsAt } from '../../learning/data.ts'
import { adapted, initialAdapter, lora } from '../../learning/lora.ts'
import { forward, topLevelIndex } from '../../learning/model.ts'
import { packArrays, parameterSpecs, unpackArrays, type NamedTensors } from '../../learning/parameters.ts'
import { parametersOf } from '../../learning/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tf.ts'
import { curveInterval, train } from '../../learning/training.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { targets } from '../targets.ts'

/**
 * Residual feature alignment with LoRA (arXiv 2411.08443). With h_l = f_l + r_l the adapted model's features,
 *
 *     L = E_{x in D_r} Σ_l w_l ‖r_l(x)‖²  +  λ E_{x in D_f} Σ_l w_l ‖f_l(x) + r_l(x) − t_l(x)‖²
 *
 * where w_l = 1 / mean‖f_l‖² over D_r, so that layers weigh alike. B = 0 at the start, so the student starts as the frozen
 * teacher. Gradients exist for A and B alone; batch norms keep their running statistics.
 *
 * The teacher's features are computed once, and so is the input of the first adapted layer, on which the adapters have no
 * influence; a step runs from there to the last aligned layer.
 */
export const unlearn: Method<'rfa'> = async (method, context) => {
  const { layers, original, data, forget, seed, onStep } = context
  const wrapped = adaptableLayers(layers).filter(({ name }) =>
    method.layers.some((pattern) => matchesPattern(name, pattern)),
  )
  const aligned = alignedLayers(
    method.align,
    wrapped.map(({ name }) => name),
    context,
  )
  const adapter = lora(wrapped, method)
  const retained = sample(context.retained, method.retainedSamples, stream(seed, 'rfa', 'retained'))
  const from = Math.min(...wrapped.map(({ name }) => topLevelIndex(layers, name)))
  const to = 1 + Math.max(...aligned.map((name) => topLevelIndex(layers, name)))

  const kept: { tensors: Tensor[] } = { tensors: [] }
  const base = parametersOf(layers, original)
  tf.engine().startScope()
  try {
    const capture = new Set(aligned)
    const logits = layers.at(-1)?.name ?? ''
    const kind = { layers, base, context, from }
    const onRetained = await teacherFeatures({ ...kind, indices: retained, to, capture })
    const onForget = await teacherFeatures({
      ...kind,
      indices: forget,
      to: layers.length,
      capture: new Set([logits]),
    })
    const weight = Object.fromEntries(
      aligned.map((name) => [name, 1 / meanSquaredNorm(onRetained.features[name])]),
    )
    const target = targets[method.target](
      {
        features: onRetained.features,
        retainedLabels: labelsAt(data.labels, retained),
        forgetLabels: labelsAt(data.labels, forget),
        forgetLogits: (await (onForget.features[logits] as Tensor).data()) as Float32Array,
        classes: data.classes,
      },
      stream(seed, 'rfa', 'targets'),
    )

    const retainedBatches = new Batches(retained, method.retainedBatch, seed, 'rfa retained')
    const forgetBatches = new Batches(forget, method.forgetBatch, seed, 'rfa forget')
    const residuals: ResidualPoint[] = []
    const interval = curveInterval(method.steps)

    const { parameters, curve } = await train({
      initial: initialAdapter(adapter, stream(seed, 'rfa', 'adapter')),
      steps: method.steps,
      optimizer: method.optimizer,
      schedule: method.schedule,
      loss: (ab, step) => {
        const r = tf.tensor1d(retainedBatches.positions(step), 'int32')
        const f = tf.tensor1d(forgetBatches.positions(step), 'int32')
        const x = tf.concat([tf.gather(onRetained.input, r), tf.gather(onForget.input, f)])
        const { features } = forward(layers, adapted(adapter, base, ab), x, { from, to, capture })
        const { onR, onF } = alignment(features, aligned, weight, [r.size, f.size], {
          teacher: (name) => tf.gather(onRetained.features[name] as Tensor, r),
          target: (name) => target(name, f),
        })
        tf.dispose(kept.tensors)
        kept.tensors = [tf.keep(onR.div(aligned.length)), tf.keep(onF.div(aligned.length))]
        return onR.add(onF.mul(method.lambda))
      },
      onStep: async (progress) => {
        const { step = 0 } = progress
        if ((step - 1) % interval === 0 || step === method.steps) {
          const [retainedPart, forgetPart] = await Promise.all(kept.tensors.map((tensor) => tensor.data()))
          residuals.push({ step, retained: retainedPart?.[0] ?? NaN, forget: forgetPart?.[0] ?? NaN })
        }
        await onStep?.(progress)
      },
    })

    const specs = parameterSpecs(layers)
    const merged = unpackArrays(specs.trained, original.trained.slice())
    const updated = tf.tidy(() => {
      const all = adapted(adapter, base, tf.tensor1d(parameters))
      return Object.fromEntries(
        wrapped.map(({ name }) => [`${name}.weight`, all[`${name}.weight`] as Tensor]),
      )
    })
    for (const [name, tensor] of Object.entries(updated)) merged[name]?.values.set(await tensor.data())
    return {
      weights: { trained: packArrays(specs.trained, merged), statistics: original.statistics },
      adapter: { lora: adapter, parameters },
      metrics: {
        trainable: parameters.length,
        steps: method.steps,
        samplesUsed: { retained: retained.length, forget: forget.length },
        curve,
        residuals,
      },
    }
  } finally {
    tf.dispose([...kept.tensors, ...Object.values(base)])
    tf.engine().endScope()
  }
}

function alignedLayers(
  patterns: readonly string[] | undefined,
  wrapped: readonly string[],
  { layers }: UnlearnContext,
): string[] {
  if (!patterns) return [...wrapped]
  return flattenLayers(layers)
    .map(({ name }) => name)
    .filter((name) => patterns.some((pattern) => matchesPattern(name, pattern)))
}

/**
 * The two parts of the loss, summed over the aligned layers. features: h_l [n_r + n_f, ...], retained samples first;
 * teacher gives f_l of the retained ones, target t_l of the others.
 */
export function alignment(
  features: NamedTensors,
  aligned: readonly string[],
  weight: Readonly<Record<string, number>>,
  sizes: readonly [retained: number, forget: number],
  { teacher, target }: { teacher: (layer: string) => Tensor; target: (layer: string) => Tensor },
): { onR: Scalar; onF: Scalar } {
  const terms = aligned.map((name) => {
    const [hRetained, hForget] = tf.split(features[name] as Tensor, [...sizes]) as [Tensor, Tensor]
    return [hRetained.sub(teacher(name)), hForget.sub(target(name))].map((distance) =>
      distance
        .square()
        .sum()
        .div(distance.shape[0] ?? 1)
        .mul(weight[name] ?? NaN),
    ) as [Scalar, Scalar]
  })
  return { onR: tf.addN(terms.map(([term]) => term)), onF: tf.addN(terms.map(([, term]) => term)) }
}

/** The frozen model on some samples: the input of layer `from` and the captured features, each [n, ...]. */
async function teacherFeatures(options: {
  readonly layers: UnlearnContext['layers']
  readonly base: NamedTensors
  readonly context: UnlearnContext
  readonly indices: Int32Array
  readonly from: number
  readonly to: number
  readonly capture: ReadonlySet<string>
}): Promise<{ input: Tensor; features: NamedTensors }> {
  const { layers, base, context, indices, from, to, capture } = options
  const parts: NamedTensors[] = []
  for (let first = 0; first < indices.length; first += 256) {
    const batch = indices.subarray(first, first + 256)
    parts.push(
      tf.tidy(() => {
        const input = forward(layers, base, context.data.images(batch), { to: from }).output
        return { [inputName]: input, ...forward(layers, base, input, { from, to, capture }).features }
      }),
    )
    await new Promise(setImmediate)
  }
  const joined = (name: string) => {
    const list = parts.map((part) => part[name] as Tensor)
    const whole = tf.concat(list)
    if (list.length > 1) tf.dispose(list)
    return whole
  }
  return {
    input: joined(inputName),
    features: Object.fromEntries([...capture].map((name) => [name, joined(name)])),
  }
}

/** Not a layer's name. */
const inputName = ' input'

/** E ‖f‖² over the samples of [n, ...]. */
function meanSquaredNorm(feature: Tensor | undefined): number {
  if (!feature) return NaN
  const [value = NaN] = tf
    .tidy(() =>
      feature
        .square()
        .sum()
        .div(feature.shape[0] ?? 1),
    )
    .dataSync()
  return value
}
