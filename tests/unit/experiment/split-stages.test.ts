import { describe, expect, test } from 'vitest'
import { hardnessNames } from '../../../experiment/spec/split.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage, StageRef } from '../../../experiment/stages/stage.ts'
import { sampleRun } from '../../support/run.ts'

const { spec, facts } = sampleRun().run
const planned = (split: object) => plan(specSchema.parse({ ...spec, split }), facts)

/**
 * The first twelve digits of the keys of results of version 0.1. Under other keys they would not be
 * found.
 */
test.each([
  [
    { kind: 'class', classes: [0] },
    ['508a54d8e01c', 'b4b32c733390', '063a1fceb097', 'bdda71f1e3bc', 'a8611985c683'],
  ],
  [
    { kind: 'random', fraction: 0.1 },
    ['508a54d8e01c', '6c09b8af12ed', '063a1fceb097', 'd5da05cde3ac', '14953788e8ca'],
  ],
])('what is kept of a split by $kind is found again', (split, keys) => {
  const { dataset, split: cut, original, gold, reference } = planned(split)
  const stages = [dataset, cut, original, gold[0], reference?.evaluate]
  expect(stages.map((stage) => stage?.key.slice(0, 12))).toEqual(keys)
})

describe.each(hardnessNames)('a split by %s', (by) => {
  const hard = planned({ kind: 'hard', by, count: 5 })

  test('comes after an evaluation of the original, which depends on no split', () => {
    expect(hard.split.inputs.ranking).toEqual({ kind: 'evaluate', key: hard.ranking?.key })
    expect(hard.ranking?.inputs).toEqual({
      dataset: { kind: 'dataset', key: hard.dataset.key },
      model: { kind: 'train', key: hard.original.key },
    })
    expect(hard.original.key).toBe(planned({ kind: 'class', classes: [0] }).original.key)
  })

  test('is one of the stages, each once and after its inputs', () => {
    const stages: readonly Stage[] = stagesOf(hard)
    const keys = stages.map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    stages.forEach(({ inputs }, i) => {
      for (const { key } of Object.values<StageRef>({ ...inputs })) {
        expect(keys.indexOf(key)).toBeGreaterThanOrEqual(0)
        expect(keys.indexOf(key)).toBeLessThan(i)
      }
    })
    expect(stages.map(({ title }) => title).slice(0, 4)).toEqual([
      'read digits',
      'train original',
      'rank training samples',
      `split by ${by}`,
    ])
  })

  test('is another one under another training seed', () => {
    const other = plan(
      specSchema.parse({ ...spec, split: { kind: 'hard', by, count: 5 }, seed: { training: 2 } }),
      facts,
    )
    expect(other.split.key).not.toBe(hard.split.key)
  })
})

test('other splits need no ranking', () => {
  for (const split of [
    { kind: 'random', count: 3 },
    { kind: 'class-fraction', classes: [0], count: 3 },
    { kind: 'indices', indices: [1, 2] },
  ]) {
    const { ranking, split: cut } = planned(split)
    expect(ranking).toBeUndefined()
    expect(Object.keys(cut.inputs)).toEqual(['dataset'])
  }
})
