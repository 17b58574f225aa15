import { UserError, type Problem } from '../../common/errors.ts'
import { suggestion } from '../../common/nearest.ts'
import { formatPath } from '../../common/path.ts'
import type { DataSpec } from './data.ts'
import type { DatasetFacts } from './dataset.ts'
import type { Report } from './problems.ts'
import type { SplitSpec } from './split.ts'

/** The number of samples of each set before the split. */
export function setSizes(
  data: DataSpec,
  facts: DatasetFacts,
): { readonly train: number; readonly validation: number; readonly test: number } {
  const samples = sum(facts.train)
  const cut = Math.round(testShare(data) * samples)
  const validation = Math.round(data.validation * (samples - cut))
  return { train: samples - cut - validation, validation, test: cut + sum(facts.test) }
}

/** The share of the training files' samples that is set apart for testing. */
export function testShare(data: DataSpec): number {
  return 'test' in data && typeof data.test === 'number' ? data.test : 0
}

/**
 * The number of samples that a split by `fraction` or `count` forgets, of a number of training
 * samples.
 */
export function forgetCount(
  { count, fraction = 0 }: { readonly count?: number | undefined; readonly fraction?: number | undefined },
  samples: number,
): number {
  return count ?? Math.round(fraction * samples)
}

/**
 * The number of training samples that a split forgets. For classes it may be an estimate. Undefined
 * if a file that was not read names the samples.
 */
export function forgetSize(split: SplitSpec, data: DataSpec, facts: DatasetFacts): number | undefined {
  const { train } = setSizes(data, facts)
  switch (split.kind) {
    case 'class':
      return expectedSamples(split, train, facts)
    case 'class-fraction':
      return forgetCount(split, expectedSamples(split, train, facts))
    case 'random':
    case 'hard':
      return forgetCount(split, train)
    case 'indices':
    case 'names':
      return split.indices?.length
  }
}

/**
 * The expected number of training samples of the classes, if there are `train` in all. It is an
 * estimate if samples are held out, since these are drawn when the data is read.
 */
export function expectedSamples({ classes }: ClassesSplit, train: number, facts: DatasetFacts): number {
  const indices = new Set(classes.map((c) => (typeof c === 'number' ? c : facts.classes.indexOf(c))))
  const samples = sum([...indices].map((index) => facts.train[index] ?? 0))
  return Math.round((samples * train) / sum(facts.train))
}

export type ClassesSplit = Extract<SplitSpec, { classes: unknown }>

/**
 * The indices of the classes that a split names, in ascending order. Throws a UserError if the data
 * lacks one.
 */
export function resolveClasses(split: ClassesSplit, facts: DatasetFacts): readonly number[] {
  const problems: Problem[] = []
  const indices = classIndices(split, facts, (path, message) => {
    problems.push({ message, path: formatPath(path) })
  })
  if (problems.length > 0) throw new UserError(problems)
  return indices
}

/**
 * The indices of the classes that a split names, in ascending order. Reports unknown and repeated
 * classes.
 */
export function classIndices(
  split: ClassesSplit,
  { classes, name }: DatasetFacts,
  report: Report,
): readonly number[] {
  const indices = new Set<number>()
  split.classes.forEach((wanted, i) => {
    const path = ['split', 'classes', i]
    const index = typeof wanted === 'number' ? wanted : classes.indexOf(wanted)
    const known = classes[index]
    if (known === undefined)
      report(
        path,
        typeof wanted === 'number'
          ? `${name} has no class ${wanted}; its classes are 0 to ${classes.length - 1}: ${classes.join(', ')}`
          : `${name} has no class "${wanted}"${suggestion(wanted, classes, 'its classes are')}`,
      )
    else if (indices.has(index)) report(path, `class ${index} ("${known}") is listed twice; remove one`)
    else indices.add(index)
  })
  return [...indices].sort((a, b) => a - b)
}

export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
