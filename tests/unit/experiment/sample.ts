import { checkSpec } from '../../../experiment/spec/check.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import type { DatasetFacts } from '../../../experiment/spec/dataset.ts'
import { UserError, type Problem } from '../../../common/errors.ts'

/** A whole config; the line numbers in tests count from its first line. */
export const sample = `name: sample
data:
  name: digits
split:
  kind: class
  classes: [3]
model:
  name: mlp
  hidden: [32, 16]
training:
  epochs: 5
methods:
  - method: original
  - method: rfa
    rank: 4
    layers: ['linear*']
`

export const digitFacts: DatasetFacts = {
  name: 'digits',
  shape: [8, 8, 1],
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  train: [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
  test: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  sources: [],
  citation: '',
}

/** The sample with one text for another, which has to be there once. */
export function edited(from: string, to: string): string {
  if (sample.split(from).length !== 2) throw new Error(`the sample does not hold ${from} once`)
  return sample.replace(from, () => to)
}

export function problemsOf(work: () => unknown): readonly Problem[] {
  try {
    work()
  } catch (error) {
    if (error instanceof UserError) return error.problems
    throw error
  }
  return []
}

export function parseProblems(text: string, ...overrides: string[]): readonly Problem[] {
  return problemsOf(() => parseConfig({ file: 'a.yaml', text, overrides }))
}

export function checkProblems(text: string, facts = digitFacts, ...overrides: string[]): readonly Problem[] {
  const { spec, locate } = parseConfig({ file: 'a.yaml', text, overrides })
  return problemsOf(() => {
    checkSpec(spec, facts, locate)
  })
}
