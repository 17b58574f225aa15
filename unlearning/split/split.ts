import { forgetCount } from '../../experiment/spec/sets.ts'
import { UserError } from '../../common/errors.ts'
import { checkIndices } from '../../experiment/spec/indices.ts'
import type { SplitSpec } from '../../experiment/spec/split.ts'
import type { Partition } from '../../learning/data/partition.ts'
import { permutation, sample, stream } from '../../learning/random.ts'
import { byHardness } from './hardness.ts'
import type { Logits } from '../metrics/logits.ts'

/**
 * Indices into the data set, each set ascending. D = retained ∪ forget. No model trains on the
 * other sets.
 */
export interface Split {
  readonly retained: Int32Array
  readonly forget: Int32Array
  readonly validation: Int32Array
  /**
   * D_t without wholly forgotten classes, in two halves. `attackTest` trains attacks and `test` is
   * scored.
   */
  readonly attackTest: Int32Array
  readonly test: Int32Array
  /** Test samples of wholly forgotten classes. */
  readonly forgottenTest: Int32Array
}

export interface SplitMaterial {
  readonly seed: number
  /** The indices of the classes that the split names. */
  readonly classes?: readonly number[]
  /**
   * The original's logits of the training samples, in the same order. Only a `hard` split needs
   * them.
   */
  readonly logits?: Logits | undefined
  /** Training samples that are not forgotten. All may be unless given. */
  readonly apart?: Int32Array | undefined
}

/**
 * Splits the training, validation and test samples. Only a `class` split forgets whole classes; for
 * all other kinds, the test set keeps all its samples. Throws a UserError if the forget set would
 * be empty or too large.
 */
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

/** The samples of D_f, in any order. */
function chosenSamples(
  partition: Partition,
  labels: Int32Array,
  split: SplitSpec,
  { seed, classes = [], logits, apart }: SplitMaterial,
): Iterable<number> {
  const { train } = partition
  const free = freeOf(apart)
  const draw = (from: Int32Array, count: number) => {
    const left = from.filter(free)
    if (apart && left.length < count) throw tooFew(left.length, count)
    return sample(left, count, stream(seed, 'split', 'forget'))
  }
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
    case 'indices':
    case 'names': {
      if (!split.indices) throw new Error('the file of samples was not read')
      checkIndices(split.indices, partition)
      return split.indices
    }
    case 'hard': {
      if (!logits) throw new Error("the original's logits are missing")
      const ranked = byHardness(logits, split.by).filter((position) => free(train[position] ?? -1))
      const count = forgetCount(split, train.length)
      if (apart && count > ranked.length) throw tooFew(ranked.length, count)
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

/** Whether a sample may be forgotten: it is none of those that are kept apart. */
function freeOf(apart: Int32Array = new Int32Array()): (index: number) => boolean {
  const kept = new Set(apart)
  return (index) => !kept.has(index)
}

function tooFew(left: number, count: number): UserError {
  return new UserError([
    {
      path: 'tune',
      message: `tuning is to forget ${count} samples, and the comparison leaves ${left} of which it may forget some; forget fewer samples, or leave tune out`,
    },
  ])
}
