import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../experiment/spec/config.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { judgedOf, judgingStagesOf, seedsOf } from '../../../experiment/stages/stage-list.ts'
import { checkProblems, digitFacts, parseProblems, sample } from './sample.ts'

const planOf = (text: string) => plan(parseConfig({ file: 'a.yaml', text }).spec, digitFacts)
const shadowed = `${sample}shadow: { models: 8 }\n`

describe('the section ruli', () => {
  test('is refused without shadow models, where it is written', () => {
    expect(checkProblems(`${sample}ruli: {}\n`)).toMatchObject([
      {
        path: 'ruli',
        message: 'ruli needs the section shadow, which is absent; add `shadow: { models: 64 }`',
      },
    ])
    expect(checkProblems(`${shadowed}ruli: {}\n`)).toEqual([])
  })

  test('attacks every model with the pool that all attacks share', () => {
    const planned = planOf(`${shadowed}seeds: 2\nruli: { select: 0.5 }\n`)
    const stages = judgingStagesOf(planned, 'ruli')
    const judged = seedsOf(planned).flatMap(judgedOf)
    expect(stages.map(({ inputs }) => inputs.evaluation.key)).toEqual(
      judged.map(({ evaluate }) => evaluate.key),
    )
    for (const { inputs, params } of stages) {
      expect(inputs.pool.key).toBe(planned.shadow?.pool.key)
      expect(params).toEqual({ ruli: { select: 0.5 } })
    }
  })

  test.each([0, -0.1, 1.5])('refuses a share of %d', (select) => {
    expect(parseProblems(`${shadowed}ruli: { select: ${select} }\n`)).toMatchObject([{ path: 'ruli.select' }])
  })
})

describe('the section agreement', () => {
  test('compares every model with the gold model of its seed, and gold with itself', () => {
    const planned = planOf(`${sample}seeds: 2\nagreement: {}\n`)
    for (const seed of seedsOf(planned))
      for (const { agreement, evaluate } of judgedOf(seed))
        expect(agreement?.inputs).toEqual({
          evaluation: { kind: 'evaluate', key: evaluate.key },
          goldEvaluation: { kind: 'evaluate', key: seed.reference?.evaluate.key },
        })
  })
})

describe('the section features', () => {
  test('refuses a pattern that matches no layer', () => {
    expect(checkProblems(`${sample}features: { layers: ['conv*'] }\n`)).toMatchObject([
      { path: 'features.layers[0]', message: expect.stringContaining('"conv*" matches no layer') as string },
    ])
  })
})
