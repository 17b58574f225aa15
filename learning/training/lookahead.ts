import type { Tensor1D } from '@tensorflow/tfjs'
import type { LookaheadSpec } from '../../experiment/spec/optimizer.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * The average of a vector that a training changes (Lookahead, Zhang et al. 2019, with the decay of
 * K. Jordan 2024, arXiv 2404.00498). Every `every` steps, after t of T steps,
 *
 *     a ← a + (1 − d)·(θ − a),    θ ← a,    d = decay^every · (t/T)³
 *
 * At the end of the training, θ is a.
 */
export class Lookahead {
  private readonly spec: LookaheadSpec
  private readonly steps: number
  private average: Tensor1D

  /** initial: the vector before the first step. steps: the length T of the training. */
  constructor(spec: LookaheadSpec, steps: number, initial: Float32Array) {
    this.spec = spec
    this.steps = steps
    this.average = tf.tensor1d(initial.slice())
  }

  /**
   * The vector with which the training continues after `step` steps. Disposes of `current` if that
   * is another tensor.
   */
  after(step: number, current: Tensor1D): Tensor1D {
    const { every, decay } = this.spec
    if (step % every === 0) {
      const share = decay ** every * (step / this.steps) ** 3
      // In this form, values that do not change are not rounded.
      const next = tf.tidy(() => this.average.add<Tensor1D>(current.sub(this.average).mul(1 - share)))
      this.average.dispose()
      this.average = next
    } else if (step < this.steps) return current
    current.dispose()
    return this.average.clone()
  }

  async read(): Promise<Float32Array> {
    return ((await this.average.data()) as Float32Array).slice()
  }

  restore(average: Float32Array): void {
    this.average.dispose()
    this.average = tf.tensor1d(average)
  }

  dispose(): void {
    this.average.dispose()
  }
}
