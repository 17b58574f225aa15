import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../common/canonical.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Plan, SeedPlan } from '../../../experiment/plan/types.ts'
import { planOf as planOfParts, planParts } from '../../../experiment/plan/run-parts.ts'
import { refuseTooLarge } from '../../../experiment/plan/run-size.ts'
import { runId } from '../../../experiment/records/run.ts'
import { mentionsOf, rowsOf, seedsOf, stagesOf } from '../../../experiment/stages/stage-list.ts'
import { trainedSeed } from '../../support/trained-seed.ts'
import { expectListed } from './listed.ts'
import { digitFacts, parseProblems, sample } from './sample.ts'

const specOf = (...overrides: string[]) => parseConfig({ file: 'a.yaml', text: sample, overrides }).spec
const planOf = (...overrides: string[]) => plan(specOf(...overrides), digitFacts)

/** Keys of what a seed trains and judges. */
const keysOf = ({ original, gold, reference, twin, candidates, floor }: SeedPlan) =>
  mentionsOf({
    ...shell,
    ...{ original, gold, candidates, floor },
    ...(reference && { reference }),
    ...(twin && { twin }),
  })
    .slice(2)
    .map(({ key }) => key)
const shell: Pick<Plan, 'dataset' | 'split'> = planOf()

describe('one seed', () => {
  test('is what there is unless more are asked for: the same spec, plan and id', () => {
    const [absent, one] = [specOf(), specOf('seeds=1')]
    expect(canonicalJson(one)).toBe(canonicalJson(absent))
    expect(canonicalJson(one)).not.toContain('seeds')
    expect(planOf('seeds=1')).toEqual(planOf())
    expect(planOf()).not.toHaveProperty('seeds')
    expect(runId('sample', planOf('seeds=1'))).toBe(runId('sample', planOf()))
  })

  test('has the titles that it always had', () => {
    expect(stagesOf(planOf()).map(({ title }) => title)).toEqual([
      'read digits',
      'split by class',
      'train original',
      'train gold',
      'train gold, seed 2',
      'initialise twin',
      'unlearn by rfa',
      'evaluate retrain',
      'evaluate original',
      'evaluate rfa',
      'evaluate retrain, seed 2',
      'evaluate twin',
      'attack retrain',
      'attack original',
      'attack rfa',
      'attack retrain, seed 2',
      'compare original',
      'compare rfa',
      'compare retrain, seed 2',
    ])
  })
})

describe('several seeds', () => {
  test('each have the stages of the same experiment with those seeds by hand', () => {
    const seeds = seedsOf(planOf('seeds=3', 'seed.training=5', 'seed.unlearning=8'))
    expect(seeds).toHaveLength(3)
    for (const [i, seed] of seeds.entries()) {
      const alone = planOf(`seed.training=${5 + i}`, `seed.unlearning=${8 + i}`)
      expect(keysOf(seed)).toEqual(keysOf(alone))
    }
  })

  test('share the data and its split, and nothing else', () => {
    const several = planOf('seeds=4')
    const alone = planOf()
    expect(several.dataset).toEqual(alone.dataset)
    expect(several.split).toEqual(alone.split)
    const own = stagesOf(several).filter(({ kind }) => kind !== 'population')
    expect(own).toHaveLength(2 + 4 * (stagesOf(alone).length - 2))
  })

  test('vary training and unlearning, and leave the data, the split and the attack alone', () => {
    const [, second] = seedsOf(planOf('seeds=2'))
    expect(second && trainedSeed(second.original.params)).toBe(2)
    expect(second?.gold.map(({ params }) => trainedSeed(params))).toEqual([1002, 2002])
    expect(second?.candidates.flatMap(({ unlearn }) => unlearn?.params.seed ?? [])).toEqual([2])
    expect(second?.candidates.map(({ attack }) => attack.params.seed)).toEqual([1, 1])
  })

  test('train no two models from one seed, and give no two stages one title; inputs come first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.integer({ min: 1, max: 16 }),
        fc.nat(3000),
        (seeds, golds, training) => {
          const several = planOf(`seeds=${seeds}`, `gold.models=${golds}`, `seed.training=${training}`)
          const trained = seedsOf(several)
            .flatMap(({ original, gold }) => [original, ...gold])
            .map(({ params }) => trainedSeed(params))
          expect(new Set(trained).size).toBe(seeds * (1 + golds))
          expectListed(several)
        },
      ),
      { numRuns: 10 },
    )
  })

  test('have the same rows', () => {
    for (const seed of seedsOf(planOf('seeds=3')))
      expect(rowsOf(seed).map(({ label }) => label)).toEqual(['original', 'rfa', 'retrain, gold 2'])
  })

  test('a run of twenty, with many methods, still fits into what Temporal takes', () => {
    const text = `${sample}${Array.from({ length: 20 }, (_, i) => `  - { method: rfa, label: rfa ${i}, rank: 4 }\n`).join('')}`
    const { spec } = parseConfig({ file: 'a.yaml', text, overrides: ['seeds=20'] })
    expect(JSON.stringify(plan(spec, digitFacts)).length).toBeLessThan(2 ** 21)
  })

  test.each([[64], [256]])('a run of %i is sent in pieces, each of which Temporal takes', (seeds) => {
    const planned = planOf(`seeds=${seeds}`)
    refuseTooLarge(planned, { isTracked: seeds <= 64 })
    const { texts } = planParts(planned)
    for (const text of texts) expect(Buffer.byteLength(JSON.stringify({ text }))).toBeLessThan(1_600_000)
    expect(stagesOf(planOfParts(texts))).toEqual(stagesOf(planned))
    // The largest stage is a population, which has all models as inputs.
    const sizes = stagesOf(planned).map((stage) => JSON.stringify(stage).length)
    expect(Math.max(...sizes)).toBeLessThan(2 ** 18)
  })

  test('no two models of the greatest number have the same seed', () => {
    const { gold, original, seeds = [] } = planOf('seeds=256', 'gold.models=16')
    const trained = [{ gold, original }, ...seeds].flatMap((one) => [one.original, ...one.gold])
    expect(new Set(trained.map(({ params }) => trainedSeed(params))).size).toBe(256 * 17)
  })

  test.each([
    ['0', 'seeds: expected a number at least 1, found 0'],
    ['257', 'seeds: expected a number at most 256, found 257'],
    ['2.5', 'seeds: expected a whole number, found 2.5'],
  ])('%s of them are refused', (text, message) => {
    expect(parseProblems(`${sample}seeds: ${text}\n`)).toEqual([
      { file: 'a.yaml', line: 17, column: 8, path: 'seeds', message },
    ])
  })
})

describe('populations', () => {
  test('of three seeds or more pair every row but gold with gold, seed by seed', () => {
    expect(planOf('seeds=2')).not.toHaveProperty('population')
    const several = planOf('seeds=3')
    const seeds = seedsOf(several)
    const rows = seeds.map(rowsOf)
    const own = (rows[0] ?? []).filter(({ model }) => model.key !== seeds[0]?.gold[0]?.key)
    expect(several.population?.map(({ label }) => label)).toEqual(own.map(({ label }) => label))
    for (const { label, stage } of several.population ?? []) {
      const row = (rows[0] ?? []).findIndex((candidate) => candidate.label === label)
      for (const [i, seed] of seeds.entries()) {
        expect(stage.inputs[`unlearned${i + 1}`]?.key).toBe(rows[i]?.[row]?.evaluate.key)
        expect(stage.inputs[`gold${i + 1}`]?.key).toBe(seed.reference?.evaluate.key)
      }
      expect(Object.keys(stage.inputs)).toHaveLength(6)
    }
  })
})
