import type { Tensor } from '@tensorflow/tfjs'
import type { ResidualPoint } from '../../../experiment/stages/unlearn.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { curveInterval, type StepCallback } from '../../../learning/training/train.ts'
import type { LossParts } from './loss.ts'

export interface ResidualCurve extends StepCallback {
  points(): readonly ResidualPoint[]
  keep(parts: LossParts): void
  dispose(): void
}

/**
 * Records both parts of the loss, divided by the number of layers, at the points of the loss curve.
 */
export function residualCurve(steps: number, layers: number): ResidualCurve {
  const interval = curveInterval(steps)
  let points: ResidualPoint[] = []
  let latest: readonly Tensor[] = []
  const dispose = () => {
    tf.dispose([...latest])
    latest = []
  }
  return {
    points: () => points,
    keep({ onRetained, onForget }: LossParts) {
      dispose()
      latest = [tf.keep(onRetained.div(layers)), tf.keep(onForget.div(layers))]
    },
    async afterStep(step) {
      if ((step - 1) % interval !== 0 && step !== steps) return false
      const [retained, forget] = await Promise.all(
        latest.map(async (tensor) => (await tensor.data())[0] ?? NaN),
      )
      points.push({ step, retained: retained ?? NaN, forget: forget ?? NaN })
      return false
    },
    take: () => Promise.resolve({ vectors: {}, notes: { residuals: [...points] } }),
    restore({ notes }) {
      points = [...(notes.residuals as readonly ResidualPoint[])]
    },
    dispose,
  }
}
