import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../common/canonical.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { judgedOf, judgingStagesOf, seedsOf, stagesOf } from '../../../experiment/stages/stage-list.ts'
import { expectListed } from './listed.ts'
import { digitFacts, edited, parseProblems, sample } from './sample.ts'

const specOf = (text: string, ...overrides: string[]) => parseConfig({ file: 'a.yaml', text, overrides }).spec
const planOf = (text: string, ...overrides: string[]) => plan(specOf(text, ...overrides), digitFacts)
const shadowed = (models = 8) => `${sample}shadow: { models: ${models} }\n`
const keys = (stages: readonly { readonly key: string }[] | undefined) => stages?.map(({ key }) => key)

describe('shadow models', () => {
  test('leave no trace where none are asked for', () => {
    expect(canonicalJson(specOf(sample))).not.toContain('shadow')
    expect(canonicalJson(planOf(sample))).not.toMatch(/shadow|pool|membership/)
  })

  test('add stages, and change none', () => {
    const before = stagesOf(planOf(sample))
    const after = stagesOf(planOf(shadowed()))
    expect(after.slice(0, before.length)).toEqual(before)
    const added = after.slice(before.length).map(({ title }) => title)
    expect(added).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `train shadow ${i + 1}`),
      'gather 8 shadows',
      'attack retrain by shadows',
      'attack original by shadows',
      'attack rfa by shadows',
      'attack retrain, seed 2 by shadows',
    ])
  })

  test('are the same whatever the split, the methods, the seeds of them and their number', () => {
    const models = planOf(shadowed(64)).shadow?.models
    const other = edited('classes: [3]', 'classes: [4]').replace('rank: 4', 'rank: 2')
    for (const changed of [
      planOf(`${other}shadow: { models: 64 }\n`),
      planOf(shadowed(64), 'seeds=3'),
      planOf(shadowed(64), 'seed.split=7', 'seed.unlearning=7', 'gold.models=3'),
    ])
      expect(changed.shadow?.models).toEqual(models)
    expect(planOf(shadowed(8)).shadow?.models).toEqual(models?.slice(0, 8))
    expect(planOf(shadowed(8)).shadow?.pool.key).not.toBe(planOf(shadowed(64)).shadow?.pool.key)
  })

  test.each(['seed.data=2', 'seed.training=2', 'training.epochs=6', 'model.hidden=[8]'])(
    'are others with %s',
    (override) => {
      const before = keys(planOf(shadowed()).shadow?.models)
      const after = keys(planOf(shadowed(), override).shadow?.models)
      expect(new Set([...(before ?? []), ...(after ?? [])]).size).toBe(16)
    },
  )

  test('attack the gold and every row of every seed, from one pool; inputs come first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), (seeds, golds) => {
        const several = planOf(shadowed(), `seeds=${seeds}`, `gold.models=${golds}`)
        const judged = seedsOf(several).flatMap(judgedOf)
        const memberships = judgingStagesOf(several, 'membership')
        expect(memberships.map(({ inputs }) => inputs.evaluation.key)).toEqual(
          judged.map(({ evaluate }) => evaluate.key),
        )
        for (const { inputs } of memberships) expect(inputs.pool.key).toBe(several.shadow?.pool.key)
        expectListed(several)
      }),
      { numRuns: 8 },
    )
  })

  test('of the greatest number, with many seeds and methods, still fit into what Temporal takes', () => {
    const many = Array.from({ length: 8 }, (_, i) => `  - { method: rfa, label: rfa ${i}, rank: 4 }\n`)
    const text = `${sample}${many.join('')}shadow: { models: 256 }\n`
    expect(JSON.stringify(planOf(text, 'seeds=20')).length).toBeLessThan(2 ** 21)
  })

  test.each([
    ['6', 'shadow.models: expected a number at least 8, found 6'],
    ['258', 'shadow.models: expected a number at most 256, found 258'],
    [
      '9',
      'shadow.models: expected an even number (the two models of a pair train on complementary halves of the samples), found 9',
    ],
  ])('%s of them are refused', (count, message) => {
    expect(parseProblems(`${sample}shadow: { models: ${count} }\n`)).toMatchObject([
      { path: 'shadow.models', message },
    ])
  })
})
