import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anamnesisIndex } from '../../../experiment/records/anamnesis.ts'
import { canonicalJson } from '../../../common/canonical.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { judgedOf, judgingStagesOf, seedsOf, stagesOf } from '../../../experiment/stages/stage-list.ts'
import { expectListed } from './listed.ts'
import { checkProblems, digitFacts, edited, parseProblems, sample } from './sample.ts'

const specOf = (text: string, ...overrides: string[]) => parseConfig({ file: 'a.yaml', text, overrides }).spec
const planOf = (text: string, ...overrides: string[]) => plan(specOf(text, ...overrides), digitFacts)
const asked = `${sample}relearn: {}\nprobe: {}\n`

describe('relearning and probes', () => {
  test('leave no trace where they are not asked for', () => {
    expect(canonicalJson(specOf(sample))).not.toMatch(/relearn|probe/)
    expect(canonicalJson(planOf(sample))).not.toMatch(/relearn|probe|originalEvaluation/)
  })

  test('add stages, and change none', () => {
    const before = stagesOf(planOf(sample))
    const after = stagesOf(planOf(asked))
    expect(after.slice(0, before.length)).toEqual(before)
    const rows = ['retrain', 'original', 'rfa', 'retrain, seed 2']
    expect(after.slice(before.length).map(({ title }) => title)).toEqual([
      ...rows.map((label) => `relearn ${label}`),
      ...rows.map((label) => `probe ${label}`),
    ])
  })

  test('judge the gold and every row of every seed; inputs come first', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), (seeds, golds) => {
        const several = planOf(asked, `seeds=${seeds}`, `gold.models=${golds}`)
        const judged = seedsOf(several).flatMap(judgedOf)
        const models = judged.map(({ evaluate }) => evaluate.inputs.model.key)
        expect(judgingStagesOf(several, 'relearn').map(({ inputs }) => inputs.model.key)).toEqual(models)
        expect(judgingStagesOf(several, 'probe').map(({ inputs }) => inputs.model.key)).toEqual(models)
        expectListed(several)
      }),
      { numRuns: 8 },
    )
  })

  test('ask what the original knew, whether it is a row or not', () => {
    const text = edited('  - method: original\n', '')
    const without = planOf(`${text}relearn: {}\n`)
    const titles = stagesOf(without).map(({ title }) => title)
    expect(titles).toContain('evaluate original')
    expect(titles).not.toContain('relearn original')
    expect(without.originalEvaluation?.inputs.model.key).toBe(without.original.key)
    const listed = planOf(asked)
    expect(listed.originalEvaluation?.key).toBe(listed.candidates[0]?.evaluate.key)
  })

  test("learn by the original's optimizer, at a constant rate, unless told", () => {
    const params = planOf(asked).reference?.relearn?.params
    expect(params?.relearn).toEqual({
      maxSteps: 200,
      batchSize: 64,
      every: 1,
      optimizer: specOf(asked).training?.optimizer,
    })
    const own = planOf(`${sample}relearn: { optimizer: { name: sgd, learningRate: 0.5 } }\n`)
    expect(own.reference?.relearn?.params.relearn.optimizer).toMatchObject({ name: 'sgd', learningRate: 0.5 })
  })

  test.each([
    [
      'relearn: { maxSteps: 0 }',
      'relearn.maxSteps',
      'relearn.maxSteps: expected a number at least 1, found 0',
    ],
    ['probe: { samples: 3 }', 'probe.samples', 'probe.samples: expected a number at least 4, found 3'],
  ])('%s is refused', (line, path, message) => {
    expect(parseProblems(`${sample}${line}\n`)).toMatchObject([{ path, message }])
  })

  test('a pattern that matches no layer is refused where it is written', () => {
    expect(checkProblems(`${sample}probe: { layers: [head, 'conv*', relu1] }\n`)).toMatchObject([
      {
        path: 'probe.layers[1]',
        line: 17,
        message: '"conv*" matches no layer that is probed; these are linear1, linear2, head',
      },
      {
        path: 'probe.layers[2]',
        message: '"relu1" matches no layer that is probed; these are linear1, linear2, head',
      },
    ])
    expect(checkProblems(`${sample}probe: { layers: [head] }\n`)).toEqual([])
  })

  test('of twenty seeds, with many methods and shadow models, still fit into what Temporal takes', () => {
    const many = Array.from({ length: 12 }, (_, i) => `  - { method: rfa, label: rfa ${i}, rank: 4 }\n`)
    const text = `${sample}${many.join('')}relearn: {}\nprobe: {}\nshadow: { models: 256 }\n`
    expect(JSON.stringify(planOf(text, 'seeds=20')).length).toBeLessThan(2 ** 21)
  })
})

describe('the untrained twin', () => {
  test('is of the unlearning seed, learns from nothing, and every row is compared with it', () => {
    const { twin, candidates, floor } = planOf(sample, 'seed.unlearning=7')
    expect(twin?.model.params).toMatchObject({ on: 'nothing', seed: 7 })
    expect(Object.keys(twin?.model.inputs ?? {})).toEqual(['dataset'])
    for (const { compare } of [...candidates, ...floor])
      expect(compare.inputs.twinEvaluation?.key).toBe(twin?.evaluate.key)
  })

  test('is one of its own for each seed', () => {
    const twins = seedsOf(planOf(sample, 'seeds=4')).map(({ twin }) => twin?.model.key)
    expect(new Set(twins).size).toBe(4)
  })

  test('leaves the keys of all that costs time as they were', () => {
    // Of the version before there was a twin.
    const { original, gold, candidates, reference } = planOf(sample)
    const keys = [original, ...gold, candidates[1]?.unlearn, reference?.evaluate]
    expect(keys.map((stage) => stage?.key.slice(0, 12))).toEqual([
      '0ce1c735bb91',
      'b47ef39de0eb',
      '5eb4266c394d',
      '836d3258022a',
      '0d23df5668f7',
    ])
  })
})

describe('the anamnesis index', () => {
  const value = (steps: number) => ({ value: steps })
  const missing = { missing: 'not within 200 steps' }

  test('is 1 for gold, and 0 for what knows it already', () => {
    expect(anamnesisIndex(value(7), value(7))).toEqual({ value: 1 })
    expect(anamnesisIndex(value(0), value(7))).toEqual({ value: 0 })
    expect(anamnesisIndex(value(21), value(7))).toEqual({ value: 3 })
  })

  test('is missing where one of the two is, or gold has nothing to learn', () => {
    expect(anamnesisIndex(missing, value(7))).toEqual(missing)
    expect(anamnesisIndex(value(3), missing)).toEqual({ missing: 'gold: not within 200 steps' })
    for (const steps of [value(0), value(5), missing])
      expect(anamnesisIndex(steps, value(0))).toEqual({
        missing: 'gold needs 0 steps: it knows the forget set nearly as well as the original does',
      })
  })
})
