import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { Batches } from '../../learning/data/batches.ts'
import { mergedWeights } from '../../learning/model/lora.ts'
import { inMicroBatches } from '../../learning/training/micro-batches.ts'
import { composeCallbacks, train } from '../../learning/training/train.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import type { Method } from '../method.ts'
import { leaveOutTop } from './rfa/leave-out-top.ts'
import { alignment, distances, inverseNorms } from './rfa/loss.ts'
import { rfaProblem } from './rfa/problem.ts'
import { residualCurve } from './rfa/residual-curve.ts'
import { residualNorms, type NormCurve } from './rfa/residual-norms.ts'
import { stopByAccuracy } from './rfa/stopping.ts'
import { initialStudent, studentOf } from './rfa/student.ts'
import { frozenTeacher } from './rfa/teacher.ts'
import { wantedFeatures } from './rfa/wanted.ts'

/**
 * Residual feature alignment with LoRA (arXiv 2411.08443). f_l(x) are the features of the frozen
 * original model at layer l, and h_l = f_l + r_l those of the adapted model. The loss is
 *
 *     L = E_{x in D_r} Σ_l w_l ‖r_l(x)‖²  +  λ E_{x in D_f} Σ_l w_l ‖f_l(x) + r_l(x) − t_l(x)‖²
 *
 * with w_l = 1 / E ‖f_l‖² over D_r, so that all layers have the same weight (`weights` multiply
 * it). Only A and B of the adapter are trained. Batch norms keep their running statistics.
 *
 * With `distance: kl` the term of the logits is KL(softmax f ‖ softmax h) on D_r and
 * KL(softmax t ‖ softmax h) on D_f. A residual then counts by its effect on the prediction. The
 * squared distance of logits is dominated by samples whose prediction no shift would change.
 *
 * The adapter starts with B = 0, or with `start: closed-form` at the best update of each layer for
 * the layer's own output, which takes no steps (./rfa/closed-form.ts).
 *
 * The target `leave-out-top` says what the residual is at every layer, which is solved for without
 * this loss (./rfa/leave-out-top.ts).
 *
 * The teacher's features are computed once, and so are the inputs of the first adapted layer, on
 * which the adapter has no influence. A step runs from there to the last aligned layer.
 */
export const unlearn: Method<'rfa'> = (method, context) =>
  method.target === 'leave-out-top' ? leaveOutTop(method, context) : align(method, context)

const align: Method<'rfa'> = async (method, context) => {
  const { layers, original, seed, host, untimed = (work) => work() } = context
  const problem = rfaProblem(method, context)
  const { samples, adapter, aligned, logits } = problem
  const residuals = residualCurve(method.steps, aligned.length)
  let norms: NormCurve | undefined
  tf.engine().startScope()
  try {
    const teacher = await frozenTeacher(problem, original)
    const wanted = await wantedFeatures(problem, teacher)
    const distance = distances(method, logits, await inverseNorms(wanted.retained))
    const student = studentOf(problem, teacher)

    const stop = method.stop && (await stopByAccuracy(method.stop.every, problem, teacher, student))

    const batches = {
      retained: new Batches(samples.retained, method.retainedBatch, seed, 'rfa retained'),
      forget: new Batches(samples.forget, method.forgetBatch, seed, 'rfa forget'),
    }
    const initial = await initialStudent(problem, teacher, wanted)
    norms =
      method.norms && (await residualNorms(method.norms.every, problem, teacher, student, batches, untimed))
    // A run that continues from a snapshot has the norms before its first step already.
    if (!host?.snapshot) await norms?.measure(0, initial)
    const { parameters, curve, steps } = await train({
      initial,
      specs: problem.adapter.specs,
      steps: method.steps,
      optimizer: method.optimizer,
      schedule: method.schedule,
      loss: (ab: Tensor1D, step) => {
        const r = tf.tensor1d(batches.retained.positions(step), 'int32')
        const f = tf.tensor1d(batches.forget.positions(step), 'int32')
        const x = tf.concat([tf.gather(teacher.retained.input, r), tf.gather(teacher.forget.input, f)])
        const h = inMicroBatches(host?.microBatches ?? 1, student.features, ab, x)
        const parts = alignment(h, aligned, distance, [r.size, f.size], {
          teacher: (layer) => tf.gather(wanted.retained[layer] as Tensor, r),
          target: (layer) => wanted.forget(layer, f),
        })
        residuals.keep(parts)
        return parts.onRetained.add(parts.onForget.mul(method.lambda))
      },
      callback: composeCallbacks([residuals, ...(norms ? [norms] : []), ...(stop ? [stop] : [])]),
      host,
    })
    await norms?.measure(steps, parameters)

    return {
      weights: await mergedWeights(adapter, layers, original, teacher.parameters, parameters),
      adapter: { lora: adapter, parameters },
      metrics: {
        trainable: parameters.length,
        steps,
        samplesUsed: { retained: samples.retained.length, forget: samples.forget.length },
        curve,
        residuals: residuals.points(),
        ...(norms && { norms: norms.norms() }),
        ...(stop && { looks: stop.checks() }),
      },
    }
  } finally {
    residuals.dispose()
    norms?.dispose()
    tf.engine().endScope()
  }
}
