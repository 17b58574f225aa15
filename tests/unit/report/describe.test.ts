import { expect, test } from 'vitest'
import type { SplitSpec } from '../../../experiment/spec/split.ts'
import { describeSplit } from '../../../report/describe.ts'
import { facts } from './fixtures.ts'

test.each<[SplitSpec, string]>([
  [{ kind: 'class', classes: [3] }, 'the class “3”'],
  [{ kind: 'random', fraction: 0.1 }, '10.00% of the training samples, drawn at random'],
  [{ kind: 'random', count: 7 }, '7 training samples, drawn at random'],
  [
    { kind: 'class-fraction', classes: [3, '4'], fraction: 0.5 },
    '50.00% of the training samples of the classes “3”, “4”, drawn at random',
  ],
  [{ kind: 'indices', indices: [1, 2] }, '2 training samples, given by index'],
  [{ kind: 'indices', file: 'forget.txt', indices: [1] }, 'the 1 training sample listed in forget.txt'],
  [
    { kind: 'hard', by: 'highest-loss', count: 5 },
    '5 training samples, those of the highest loss under the original model',
  ],
  [
    { kind: 'hard', by: 'most-memorised', count: 5 },
    '5 training samples, those on which the original model is right by the smallest margin',
  ],
])('a split in words: %j', (split, words) => {
  expect(describeSplit(split, facts)).toBe(words)
})
