import { describe, expect, test } from 'vitest'
import type { DatasetFacts } from '../../../../experiment/spec/dataset.ts'
import { UserError } from '../../../../common/errors.ts'
import { plan } from '../../../../experiment/plan/plan.ts'
import { PART_CHARACTERS, planOf, planParts } from '../../../../experiment/plan/run-parts.ts'
import { mostStages, refuseTooLarge } from '../../../../experiment/plan/run-size.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { sampleRun } from '../../../support/run.ts'

const { spec, facts } = sampleRun().run
const manyFacts: DatasetFacts = { ...facts, train: [300_000, 300_000, 300_000], classes: ['é', '“"”', '🎲'] }

/** A plan with so many forgotten samples, seeds and methods. */
const planned = ({ indices = 1, seeds = 1, methods = 1 }) =>
  plan(
    specSchema.parse({
      ...spec,
      seeds,
      split: { kind: 'indices', indices: Array.from({ length: indices }, (_, i) => 200_000 + i) },
      methods: [
        { method: 'retrain' },
        ...Array.from({ length: methods }, (_, i) => ({
          method: 'finetune',
          epochs: i + 1,
          label: `fine-tuning ${i}`,
        })),
      ],
    }),
    manyFacts,
  )

describe('a plan in pieces', () => {
  test('is whole where it is small', () => {
    const small = planned({ indices: 1000 })
    const { texts, byKey } = planParts(small)
    expect([texts.length, byKey]).toEqual([1, false])
    expect(planOf(texts)).toEqual(small)
  })

  test('leaves out which samples are forgotten where it is large, and nothing else', () => {
    const large = planned({ indices: 600_000 })
    expect(JSON.stringify(large).length).toBeGreaterThan(4_000_000)
    const { texts, byKey } = planParts(large)
    expect([texts.length, byKey]).toEqual([1, true])
    const read = planOf(texts)
    expect(read.split.params.split).toEqual({ kind: 'indices' })
    const { params, ...split } = large.split
    const { indices: _, ...named } = params.split as { readonly indices?: unknown }
    expect(read).toEqual({ ...large, split: { ...split, params: { ...params, split: named } } })
  })

  test.each([[1], [7], [1000], [12_345]])('comes together from pieces of %i characters', (characters) => {
    const many = planned({ seeds: 2, methods: 2 })
    const { texts, byKey } = planParts(many, characters)
    expect(byKey).toBe(true)
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(characters)
    expect(stagesOf(planOf(texts))).toHaveLength(stagesOf(many).length)
    expect(planOf(texts).candidates).toEqual(many.candidates)
  })

  test('has pieces that fit into a payload of Temporal, whatever names it holds', () => {
    const many = planned({ seeds: 20, methods: 42 })
    const { texts } = planParts(many)
    expect(texts.length).toBeGreaterThan(1)
    expect(planOf(texts).seeds).toEqual(many.seeds)
    for (const text of texts) {
      expect(text.length).toBeLessThanOrEqual(PART_CHARACTERS)
      expect(Buffer.byteLength(JSON.stringify({ text }))).toBeLessThan(1_600_000)
    }
  })
})

describe('an experiment of many stages', () => {
  test('is refused where one workflow could not have them, sooner where it is tracked', () => {
    const many = planned({ seeds: 20, methods: 60 })
    const stages = stagesOf(many).length
    expect(mostStages(true)).toBeLessThan(stages)
    expect(mostStages(false)).toBeGreaterThan(stages)
    refuseTooLarge(many, { isTracked: false })
    expect(() => {
      refuseTooLarge(many, { isTracked: true })
    }).toThrow(
      new RegExp(
        `has ${stages} stages, and one run can have ${mostStages(true)} while it is tracked.*leave tracking out`,
      ),
    )
    expect(() => {
      refuseTooLarge(planned({ seeds: 20, methods: 110 }), { isTracked: false })
    }).toThrow(UserError)
  })
})
