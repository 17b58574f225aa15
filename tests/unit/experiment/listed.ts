import { expect } from 'vitest'
import type { Plan } from '../../../experiment/plan/types.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { StageRef } from '../../../experiment/stages/stage.ts'

/** Every stage of a plan comes after its inputs, and has a title of its own. */
export function expectListed(plan: Plan): void {
  const stages = stagesOf(plan)
  expect(new Set(stages.map(({ title }) => title)).size).toBe(stages.length)
  const known = new Set<string>()
  for (const { key, inputs } of stages) {
    for (const { key: needed } of Object.values(inputs as Record<string, StageRef>))
      expect(known).toContain(needed)
    known.add(key)
  }
}
