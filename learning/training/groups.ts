import type { Rank, Tensor, Tensor1D } from '@tensorflow/tfjs'
import { matchesAny } from '../../experiment/models/layers.ts'
import type { ParameterGroup } from '../../experiment/spec/optimizer.ts'
import { sizeOf, type ParameterSpec } from '../model/parameters.ts'
import { tf } from '../tensorflow/tf.ts'

/** The parameters of a training that have a rate of their own or keep their values. */
export interface Groups {
  /** Factors of the learning rate, [size]. Undefined if all are 1. */
  readonly rates: Tensor1D | undefined
  /** Whether each parameter changes in a step (counted from 0), [size]. Undefined if all do. */
  free(step: number): Tensor<Rank.R1> | undefined
  dispose(): void
}

/**
 * Groups of the parameters `specs` in a training of `steps`. A parameter without a spec belongs to
 * no group. A parameter whose mask [size] is 0 never changes.
 */
export function groupsOf(
  groups: readonly ParameterGroup[],
  specs: readonly ParameterSpec[],
  steps: number,
  mask: Float32Array | undefined,
): Groups {
  const members = specs.map(({ name }) => {
    const layer = { name: name.slice(0, name.lastIndexOf('.')) }
    return groups.find(({ layers }) => matchesAny(layers)(layer))
  })
  const spread = (valueOf: (group: ParameterGroup | undefined) => number) =>
    Float32Array.from(specs.flatMap((spec, i) => new Array<number>(sizeOf(spec)).fill(valueOf(members[i]))))
  const ends = [...new Set(members.flatMap((group) => group?.until ?? []))].sort((a, b) => a - b)
  // One vector before the first end, and one from every end on.
  const vectors = [0, ...ends].map((end, i) => {
    if (i === 0) return mask
    const moves = spread((group) => ((group?.until ?? 1) > end ? 1 : 0))
    return mask ? moves.map((value, j) => value * (mask[j] ?? 1)) : moves
  })
  const free = vectors.map((vector) => vector && tf.tidy(() => tf.tensor1d(vector).toBool()))
  const rates = members.some((group) => (group?.rate ?? 1) !== 1)
    ? tf.tensor1d(spread((group) => group?.rate ?? 1))
    : undefined
  return {
    rates,
    free: (step) => free[ends.filter((end) => step >= end * steps).length],
    dispose: () => {
      tf.dispose([rates, ...free].filter((tensor) => tensor !== undefined))
    },
  }
}
