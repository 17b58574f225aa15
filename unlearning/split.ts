import { forgetCount } from '../experiment/spec/sets.ts'
import { UserError } from '../common/errors.ts'
import { checkIndices } from '../experiment/spec/indices.ts'
import type { SplitSpec } from '../experiment/spec/spec.ts'
import type { Partition } from '../learning/partition.ts'
import { permutation, sample, stream } from '../learning/random.ts'
import { byHardness } from './hardness.ts'
import type { Logits } from './metrics/logits.ts'

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

export interface SplitMaterial {
  readonly seed: number
  /** The classes that the split names, by index. */
  readonly classes?: readonly number[]
  /** What the original makes of the training samples, in their order: for a `hard` split. */
  readonly logits?: Logits | undefined
}

/** Only a `class` split forgets classes whole: of every other kind, the test set keeps all its samples. */
export function splitData(
  partition: Partition,
  labels: Int32Array,
  split: SplitSpec,
  material: SplitMaterial,
): Split {
  const { seed, classes = [] } = material
  const wholly = new Set(split.kind === 'class' ? classes : [])
  const forgotten = (i: number) => wholly.has(labels[i] ?? -1)
  const chosen = new Set(chosenSamples(partition, labels, split, material))
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

/** D_f, in no order. */
function chosenSamples(
  partition: Partition,
  labels: Int32Array,
  split: SplitSpec,
  { seed, classes = [], logits }: SplitMaterial,
): Iterable<number> {
  const { train } = partition
  const draw = (from: Int32Array, count: number) => sample(from, count, stream(seed, 'split', 'forget'))
  switch (split.kind) {
    case 'class':
      return train.filter((i) => classes.includes(labels[i] ?? -1))
    case 'random':
      return draw(train, forgetCount(split, train.length))
    case 'class-fraction': {
      const members = train.filter((i) => classes.includes(labels[i] ?? -1))
      const count = forgetCount(split, members.length)
      if (count < 1 || count > members.length || count === train.length)
        throw new UserError([
          {
            path: `split.${split.count === undefined ? 'fraction' : 'count'}`,
            message: `the classes have ${members.length} of the ${train.length} training samples, and ${count} are to be forgotten; expected 1 to ${Math.min(members.length, train.length - 1)}`,
          },
        ])
      return draw(members, count)
    }
    case 'indices': {
      if (!split.indices) throw new Error('the file of indices was not read')
      checkIndices(split.indices, partition)
      return split.indices
    }
    case 'hard': {
      if (!logits) throw new Error("the original's logits are missing")
      const ranked = byHardness(logits, split.by)
      const count = forgetCount(split, train.length)
      if (count > ranked.length)
        throw new UserError([
          {
            path: `split.${split.count === undefined ? 'fraction' : 'count'}`,
            message: `the original is right on ${ranked.length} of the ${train.length} training samples, and can have memorised no other; ${count} are to be forgotten, expected at most ${ranked.length}`,
          },
        ])
      return ranked.subarray(0, count).map((position) => train[position] ?? -1)
    }
  }
}
