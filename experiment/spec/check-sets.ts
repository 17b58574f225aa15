import type { Path } from '../../common/path.ts'
import type { DatasetFacts } from './dataset.ts'
import type { Report } from './problems.ts'
import {
  classIndices,
  expectedSamples,
  forgetCount,
  setSizes,
  sum,
  testShare,
  type ClassesSplit,
} from './sets.ts'
import type { Spec } from './spec.ts'

/** Checks that no set is empty after the data and the split are applied. */
export function checkSets({ data, split }: Spec, facts: DatasetFacts, report: Report): void {
  const sizes = setSizes(data, facts)
  if (sizes.train < 2)
    report(
      ['data'],
      `only ${sizes.train} of ${sum(facts.train)} samples are left for training; lower the share that is held out`,
    )

  let forgotten: readonly number[] = []
  switch (split.kind) {
    case 'class': {
      forgotten = presentClasses(split, facts, report)
      if (facts.train.every((count, index) => count === 0 || forgotten.includes(index)))
        report(
          ['split', 'classes'],
          'the retained set is empty: every class that the data has is to be forgotten; leave one out',
        )
      break
    }
    case 'random':
    case 'hard': {
      const count = forgetCount(split, sizes.train)
      const path = ['split', split.count === undefined ? 'fraction' : 'count']
      if (count < 1)
        report(
          path,
          `the forget set is empty: ${split.fraction ?? 0} of ${sizes.train} training samples rounds to 0; raise the fraction, or give a count`,
        )
      checkRetained(count, sizes.train, path, report)
      break
    }
    case 'class-fraction': {
      const indices = presentClasses(split, facts, report)
      if (indices.length === 0) break
      const samples = sum(indices.map((index) => facts.train[index] ?? 0))
      const expected = expectedSamples(split, sizes.train, facts)
      if (split.count !== undefined && split.count > samples)
        report(
          ['split', 'count'],
          `the classes have ${samples} samples, those held out included, and ${split.count} are to be forgotten; lower the count, or name more classes`,
        )
      else if (forgetCount(split, expected) < 1)
        report(
          ['split', 'fraction'],
          `the forget set is empty: ${split.fraction ?? 0} of some ${expected} training samples rounds to 0; raise the fraction, or give a count`,
        )
      else
        checkRetained(
          forgetCount(split, expected),
          sizes.train,
          ['split', split.count === undefined ? 'fraction' : 'count'],
          report,
        )
      break
    }
    case 'indices':
    case 'names':
      // Whether each index belongs to a training sample is checked with the data
      // (experiment/spec/indices.ts).
      if (split.indices)
        checkRetained(
          split.indices.length,
          sizes.train,
          ['split', split.file === undefined ? 'indices' : 'file'],
          report,
        )
  }

  // Half of the test samples train the attack, the other half are scored.
  const share = testShare(data) > 0 ? sizes.test / sum(facts.train) : 1
  const counts = sum(facts.test) > 0 ? facts.test : facts.train
  const test = Math.round(share * sum(counts.filter((_, index) => !forgotten.includes(index))))
  if (test < 2)
    report(
      ['data', 'test'],
      `only ${test} test samples are not of a forgotten class; expected at least 2: half of them trains the attack, the other half is scored`,
    )
}

/** The indices of the classes of a split. Reports classes without a training sample. */
function presentClasses(split: ClassesSplit, facts: DatasetFacts, report: Report): readonly number[] {
  const indices = classIndices(split, facts, report)
  split.classes.forEach((wanted, i) => {
    const index = typeof wanted === 'number' ? wanted : facts.classes.indexOf(wanted)
    if (facts.train[index] === 0)
      report(
        ['split', 'classes', i],
        `the data has no training sample of class ${index} ("${facts.classes[index] ?? ''}"), so there is nothing to forget`,
      )
  })
  return indices
}

function checkRetained(count: number, train: number, path: Path, report: Report): void {
  if (count >= train)
    report(
      path,
      `the retained set is empty: ${count} of ${train} training samples are to be forgotten; expected at most ${train - 1}`,
    )
}
