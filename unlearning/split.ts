import { forgetCount } from '../experiment/check.ts'
import type { SplitSpec } from '../experiment/spec.ts'
import type { Partition } from '../learning/partition.ts'
import { permutation, sample, stream } from '../learning/random.ts'

/** Indices into the data set, each set ascending. D = retained ∪ forget; the rest no model trains on. */
export interface Split {
  readonly retained: Int32Array
  readonly forget: Int32Array
  readonly validation: Int32Array
  /** D_t without forgotten classes, in two halves: one trains attacks, the other is scored. */
  readonly attackTest: Int32Array
  readonly test: Int32Array
  /** Test samples of wholly forgotten classes. */
  readonly forgottenTest: Int32Array
}

/** `forgottenClasses`: the split's classes by index; empty for splits that forget no whole class. */
export function splitData(
  partition: Partition,
  labels: Int32Array,
  split: SplitSpec,
  forgottenClasses: readonly number[],
  seed: number,
): Split {
  const classes = new Set(forgottenClasses)
  const forgotten = (i: number) => classes.has(labels[i] ?? -1)
  const chosen = new Set(
    split.kind === 'class' ? partition.train.filter(forgotten) : drawn(partition.train, split, seed),
  )
  const kept = partition.test.filter((i) => !forgotten(i))
  const order = permutation(kept.length, stream(seed, 'split', 'test')).map((position) => kept[position] ?? 0)
  const half = Math.floor(order.length / 2)
  return {
    retained: partition.train.filter((i) => !chosen.has(i)),
    forget: partition.train.filter((i) => chosen.has(i)),
    validation: partition.validation.filter((i) => !forgotten(i)),
    attackTest: order.slice(0, half).sort(),
    test: order.slice(half).sort(),
    forgottenTest: partition.test.filter(forgotten),
  }
}

function drawn(train: Int32Array, split: Extract<SplitSpec, { kind: 'random' }>, seed: number): Int32Array {
  return sample(train, forgetCount(split, train.length), stream(seed, 'split', 'forget'))
}
