import { beforeAll, expect, test } from 'vitest'
import { outcomesOf } from '../../../../activities/outcomes.ts'
import { canonicalJson } from '../../../../common/canonical.ts'
import type { Outcomes } from '../../../../experiment/records/outcomes.ts'
import { outcomesAnswer } from '../../../../ui/server/answers/outcomes.ts'
import { answerContext, sampledRun, type SampledRun } from '../../../support/sampled-run.ts'

let sampled: SampledRun
let computed: Outcomes
beforeAll(async () => {
  sampled = await sampledRun()
  computed = await outcomesOf(sampled.artifacts, sampled.input)
})

/** The answer of a server that has just started, with these outcomes in the report of the run. */
async function answered(stored: unknown): Promise<Outcomes> {
  const { artifacts, run } = sampled
  await artifacts.putReport(run.id, { 'outcomes.json': canonicalJson(stored) })
  const answer = await outcomesAnswer(answerContext(artifacts), { run: run.id })
  if (!('json' in answer)) return expect.fail('the answer is no JSON')
  return answer.json as Outcomes
}

/** Outcomes that nobody computes from this run, so that a test can tell where an answer is from. */
const marked = () => ({ ...computed, classes: computed.classes.map((name) => `stored ${name}`) })

test('are computed if the run has no report', async () => {
  const answer = await outcomesAnswer(sampled.context, { run: sampled.run.id })
  expect(answer).toEqual({ json: computed })
})

test('are those of the report if they were computed from the same results', async () => {
  expect(await answered(marked())).toEqual(marked())
})

test('are computed again if the report was written from other results, or lacks models', async () => {
  expect(await answered({ ...marked(), source: 'f'.repeat(64) })).toEqual(computed)
  const missing = [{ label: 'finetune', seed: 0, reason: 'not evaluated then' }]
  expect(await answered({ ...marked(), missing })).toEqual(computed)
  for (const other of [null, [], { source: computed.source }]) expect(await answered(other)).toEqual(computed)
})
