import fc from 'fast-check'
import { expect, test } from 'vitest'
import { methodSchema, methodSchemas } from '../../../experiment/spec/methods.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { hardnessNames } from '../../../experiment/spec/split.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { seedsOf, stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage, StageRef } from '../../../experiment/stages/stage.ts'
import { digitFacts } from './sample.ts'

/** Mistakes of published experiments that a plan could repeat. */

/** Every method, with its own defaults where it has them. */
const methods = methodSchemas.flatMap(({ shape }) => {
  const method = shape.method.value
  if (method === 'weights') return []
  return methodSchema.safeParse({ method }).success ? { method } : { method, epochs: 1 }
})

const anyPlan = fc
  .record({
    seeds: fc.integer({ min: 1, max: 4 }),
    models: fc.integer({ min: 1, max: 3 }),
    shadows: fc.constantFrom(0, 8),
    split: fc.constantFrom(
      { kind: 'class', classes: [3] },
      { kind: 'random', fraction: 0.1 },
      ...hardnessNames.map((by) => ({ kind: 'hard', by, fraction: 0.1 })),
    ),
  })
  .map(({ seeds, models, shadows, split }) => {
    const spec = specSchema.parse({
      name: 'traps',
      seeds,
      data: { name: 'digits', validation: 0.1 },
      split,
      model: { name: 'mlp' },
      training: { epochs: 1 },
      gold: { models },
      ...(shadows > 0 && { shadow: { models: shadows } }),
      methods,
    })
    return plan(spec, digitFacts)
  })

/** All that a stage's result depends on, itself left out. */
function ancestors(stages: ReadonlyMap<string, Stage>, { inputs }: Stage): readonly Stage[] {
  return Object.values(inputs as Readonly<Record<string, StageRef>>).flatMap(({ key }) => {
    const stage = stages.get(key)
    if (!stage) throw new Error(`no stage has the key ${key}`)
    return [stage, ...ancestors(stages, stage)]
  })
}

test('nothing can be tuned on gold or on test samples: unlearning depends on the data, its split and the original alone', () => {
  fc.assert(
    fc.property(anyPlan, (planned) => {
      const stages = new Map(stagesOf(planned).map((stage) => [stage.key, stage]))
      const unlearnings = [...stages.values()].filter(({ kind }) => kind === 'unlearn')
      expect(unlearnings).toHaveLength(seedsOf(planned).length * (methods.length - 2))
      for (const unlearning of unlearnings)
        for (const stage of ancestors(stages, unlearning))
          switch (stage.kind) {
            case 'train':
              expect(stage.params.on).toBe('all')
              break
            case 'evaluate':
              // What ranks samples for a hard split: of the original, on training samples.
              expect(stage).toEqual(planned.ranking)
              expect(stage.inputs.split).toBeUndefined()
              break
            default:
              expect(['dataset', 'split']).toContain(stage.kind)
          }
    }),
    { numRuns: 30 },
  )
})

test('no trained model is shared by several seeds: each unlearns an original of its own, and is compared with a gold of its own', () => {
  fc.assert(
    fc.property(anyPlan, (planned) => {
      const seeds = seedsOf(planned)
      const distinct = (keys: readonly unknown[]) => new Set(keys).size
      expect(distinct(seeds.map(({ original }) => original.key))).toBe(seeds.length)
      const gold = seeds.flatMap((seed) => seed.gold)
      expect(distinct(gold.map(({ key }) => key))).toBe(gold.length)
      for (const { original, gold, reference, candidates } of seeds) {
        expect(reference?.evaluate.inputs.model.key).toBe(gold[0]?.key)
        for (const { unlearn, compare } of candidates) {
          if (unlearn) expect(unlearn.inputs.original.key).toBe(original.key)
          expect(compare.inputs.goldEvaluation?.key).toBe(reference?.evaluate.key)
        }
      }
    }),
    { numRuns: 30 },
  )
})
