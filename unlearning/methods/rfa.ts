import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { FixedTargetName, MethodSpecOf } from '../../experiment/spec/methods.ts'
import { adaptableLayers, flattenLayers, matchesAny } from '../../experiment/models/model.ts'
import { Batches } from '../../learning/data/batches.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { frozenFeatures, type FrozenFeatures } from '../../learning/model/features.ts'
import { inMicroBatches, type RowsOf } from '../../learning/training/micro-batches.ts'
import { klDivergence } from '../../learning/training/losses.ts'
import { adapted, initialAdapter, lora, mergedWeights } from '../../learning/model/lora.ts'
import { forward, topLevelIndex } from '../../learning/model/forward.ts'
import type { NamedTensors } from '../../learning/model/parameters.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { composeCallbacks, train } from '../../learning/training/train.ts'
import { closedFormAdapter } from './rfa/closed-form.ts'
import { featuresOnDemand } from './rfa/features-on-demand.ts'
import { leaveOut } from './rfa/leave-out.ts'
import type { Method } from '../method.ts'
import { refit } from './rfa/refit.ts'
import { residualCurve, type LossParts } from './rfa/residual-curve.ts'
import { lookAt, stoppingRule } from './rfa/stopping.ts'
import { targets } from './rfa/targets.ts'

/**
 * Residual feature alignment with LoRA (arXiv 2411.08443). With h_l = f_l + r_l the adapted model's features,
 *
 *     L = E_{x in D_r} Σ_l w_l ‖r_l(x)‖²  +  λ E_{x in D_f} Σ_l w_l ‖f_l(x) + r_l(x) − t_l(x)‖²
 *
 * where w_l = 1 / mean‖f_l‖² over D_r, so that layers weigh alike (`weights` multiply it). Gradients exist for A and B alone; batch norms
 * keep their running statistics.
 *
 * With `distance: kl` the logits' part is KL(softmax f ‖ softmax h) instead, and KL(softmax t ‖ softmax h) on D_f: a residual counts
 * by what it does to the prediction. Squared logits spend most of the loss on samples whose prediction no shift would change.
 *
 * The adapter starts with B = 0, or (`start: closed-form`) with the update of each layer that is best for the layer's own
 * output, which needs no steps at all (see ../closed-form.ts).
 *
 * The teacher's features are computed once, and so is the input of the first adapted layer, on which the adapters have no
 * influence; a step runs from there to the last aligned layer.
 */
export const unlearn: Method<'rfa'> = async (method, context) => {
  const { layers, original, data, forget, validation, seed, host } = context
  const wrapped = adaptableLayers(layers).filter(matchesAny(method.layers))
  const alignedLayers = method.align ? flattenLayers(layers).filter(matchesAny(method.align)) : wrapped
  const aligned = alignedLayers.map(({ name }) => name)
  const retained = sample(context.retained, method.retainedSamples, stream(seed, 'rfa', 'retained'))
  const adapter = lora(wrapped, method)
  const logits = layers.at(-1)?.name ?? ''
  const from = Math.min(...wrapped.map(({ name }) => topLevelIndex(layers, name)))
  const isSolved = method.start === 'closed-form'
  const capture = new Set([...aligned, ...(isSolved ? wrapped.map(({ name }) => name) : [])])
  const to = 1 + Math.max(...[...capture].map((name) => topLevelIndex(layers, name)))

  const residuals = residualCurve(method.steps, aligned.length)
  tf.engine().startScope()
  try {
    // The teacher: what each sample brings to the first adapted layer, f_l on D_r, and t_l on D_f.
    const base = parametersOf(layers, original)
    const isLeftOut = method.target === 'leave-out'
    const penultimate = layers.at(-2)?.name ?? ''
    const classified = isLeftOut && from < layers.length - 1 ? [penultimate] : []
    const onRetained = await frozenFeatures(layers, base, data, retained, {
      from,
      to: isLeftOut ? layers.length : to,
      capture: new Set([...capture, ...classified]),
      host,
    })
    const onForget = await frozenFeatures(layers, base, data, forget, {
      from,
      capture: new Set([logits, ...classified]),
      host,
    })
    const retainedLabels = labelsAt(data.labels, retained)
    const left = isLeftOut
      ? await leaveOut(
          { ...onRetained, penultimate: lastInput(onRetained, penultimate), labels: retainedLabels },
          { penultimate: lastInput(onForget, penultimate) },
          {
            name: logits,
            weight: base[`${logits}.weight`] as Tensor2D,
            bias: base[`${logits}.bias`] as Tensor1D,
          },
          host,
        )
      : undefined
    const teacher = { ...onRetained.features, ...(left && { [logits]: left.logits }) }
    const distance = distances(method, logits, await inverseNorms(teacher))
    let unseenInput: Tensor | undefined
    const unseen = async () => {
      unseenInput ??= (
        await frozenFeatures(layers, base, data, validation, { from, to: from, capture: new Set(), host })
      ).input
      return { input: unseenInput, labels: labelsAt(data.labels, validation) }
    }
    const refitLogits = async (epochs: number) => {
      const kept = { input: onRetained.input, labels: retainedLabels }
      const top = await refit(layers.slice(from), kept, { epochs, seed, host })
      const { input } = await unseen()
      const found = { forget: await top.logits(onForget.input), validation: await top.logits(input) }
      top.dispose()
      return found
    }
    const target =
      left?.target ??
      (await targets[method.target as FixedTargetName](
        {
          logits,
          features: onRetained.features,
          retainedLabels,
          forgetLabels: labelsAt(data.labels, forget),
          forgetLogits: (await (onForget.features[logits] as Tensor).data()) as Float32Array,
          classes: data.classes,
          validationLabels: labelsAt(data.labels, validation),
          refit: method.refitEpochs === undefined ? undefined : await refitLogits(method.refitEpochs),
          samples: { retained, forget, validation },
          onDemand: featuresOnDemand(layers, base, data, { to, capture, host }),
          host,
        },
        stream(seed, 'rfa', 'targets'),
      ))

    const look = async () => {
      const forgetInput = { input: onForget.input, labels: labelsAt(data.labels, forget) }
      const scored = { forget: forgetInput, validation: await unseen() }
      return (ab: Tensor1D) =>
        lookAt((x) => forward(layers, adapted(adapter, base, ab), x, { from }).output as Tensor2D, scored)
    }

    // The student: base weights plus adapter.
    const retainedBatches = new Batches(retained, method.retainedBatch, seed, 'rfa retained')
    const forgetBatches = new Batches(forget, method.forgetBatch, seed, 'rfa forget')
    const start = initialAdapter(adapter, stream(seed, 'rfa', 'adapter'))
    const solved = () =>
      closedFormAdapter(
        adapter,
        layers,
        base,
        [
          {
            input: onRetained.input,
            output: (name, r) => tf.gather(teacher[name] as Tensor, r),
            weight: 1,
          },
          { input: onForget.input, output: target, weight: method.lambda },
        ],
        { from, ridge: method.ridge, host },
      )
    const stop = method.stop && stoppingRule(method.stop.every, await look())
    const { parameters, curve, steps } = await train({
      initial: isSolved && !host?.snapshot ? await solved() : start,
      steps: method.steps,
      optimizer: method.optimizer,
      schedule: method.schedule,
      loss: (ab, step) => {
        const r = tf.tensor1d(retainedBatches.positions(step), 'int32')
        const f = tf.tensor1d(forgetBatches.positions(step), 'int32')
        const x = tf.concat([tf.gather(onRetained.input, r), tf.gather(onForget.input, f)])
        const student: RowsOf = (theta, rows) => {
          const { features } = forward(layers, adapted(adapter, base, theta), rows, { from, to, capture })
          return Object.fromEntries(aligned.map((name) => [name, features[name] as Tensor]))
        }
        const features = inMicroBatches(host?.parts ?? 1, student, ab, x)
        const parts = alignment(features, aligned, distance, [r.size, f.size], {
          teacher: (name) => tf.gather(teacher[name] as Tensor, r),
          target: (name) => target(name, f),
        })
        residuals.keep(parts)
        return parts.onRetained.add(parts.onForget.mul(method.lambda))
      },
      callback: composeCallbacks(stop ? [residuals, stop] : [residuals]),
      host,
    })

    return {
      weights: await mergedWeights(adapter, layers, original, base, parameters),
      adapter: { lora: adapter, parameters },
      metrics: {
        trainable: parameters.length,
        steps,
        samplesUsed: { retained: retained.length, forget: forget.length },
        curve,
        residuals: residuals.points(),
        ...(stop && { looks: stop.looks() }),
      },
    }
  } finally {
    residuals.dispose()
    tf.engine().endScope()
  }
}

/** What the last layer classifies: a feature that was kept, or what the first adapted layer gets where that is the last one. */
function lastInput({ input, features }: FrozenFeatures, penultimate: string): Tensor2D {
  return (features[penultimate] ?? input) as Tensor2D
}

/** The mean over samples of how far features h [n, ...] are from those wanted, weighted by layer. */
type Distance = (layer: string, h: Tensor, wanted: Tensor) => Scalar

export function distances(
  { distance, weights = {} }: Pick<MethodSpecOf<'rfa'>, 'distance' | 'weights'>,
  logits: string,
  inverseNorm: Readonly<Record<string, number>>,
): Distance {
  const factor = (name: string) =>
    Object.entries(weights).find(([pattern]) => matchesAny([pattern])({ name }))?.[1] ?? 1
  return (layer, h, wanted) =>
    distance === 'kl' && layer === logits
      ? klDivergence(wanted, h).mul(factor(layer))
      : h
          .sub(wanted)
          .square()
          .sum()
          .div<Scalar>(h.shape[0] ?? 1)
          .mul((inverseNorm[layer] ?? NaN) * factor(layer))
}

/**
 * The two parts of the loss, summed over the aligned layers. features: h_l [n_r + n_f, ...], retained samples first;
 * teacher gives f_l of the retained ones, target t_l of the others.
 */
export function alignment(
  features: NamedTensors,
  aligned: readonly string[],
  distance: Distance,
  sizes: readonly [retained: number, forget: number],
  { teacher, target }: { teacher: (layer: string) => Tensor; target: (layer: string) => Tensor },
): LossParts {
  const terms = aligned.map((name) => {
    const [hRetained, hForget] = tf.split(features[name] as Tensor, [...sizes]) as [Tensor, Tensor]
    return [distance(name, hRetained, teacher(name)), distance(name, hForget, target(name))] as const
  })
  return {
    onRetained: tf.addN(terms.map(([term]) => term)),
    onForget: tf.addN(terms.map(([, term]) => term)),
  }
}

/** w_l = 1 / E ‖f_l‖² of each layer's features [n, ...]. */
async function inverseNorms(features: NamedTensors): Promise<Record<string, number>> {
  const norms = Object.entries(features).map(async ([name, feature]) => {
    const norm = tf.tidy(() =>
      feature
        .square()
        .sum()
        .div(feature.shape[0] ?? 1),
    )
    const [value = NaN] = await norm.data()
    return [name, 1 / value] as const
  })
  return Object.fromEntries(await Promise.all(norms))
}
