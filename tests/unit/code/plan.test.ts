import { expect, test } from 'vitest'
import { changedCodeOf, isLocked } from '../../../experiment/stages/code.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { keyOf } from '../../../experiment/stages/stage.ts'
import { renderReport } from '../../../report/report.ts'
import { sampleRun } from '../../support/run.ts'

const { spec, facts, plan: locked } = sampleRun().run
const code = 'ab'.repeat(32)

const keysOf = (planned: typeof locked) => new Map(stagesOf(planned).map(({ title, key }) => [title, key]))

/** The stages whose keys changed code changes. */
function recomputed(changed: Parameters<typeof plan>[2]): readonly string[] {
  const before = keysOf(locked)
  return [...keysOf(plan(spec, facts, changed))].flatMap(([title, key]) =>
    before.get(title) === key ? [] : [title],
  )
}

test('a changed method is computed again, and what is made of its model', () => {
  expect(recomputed({ 'unlearn:rfa': code })).toEqual([
    'unlearn by rfa',
    'evaluate rfa',
    'attack rfa',
    'compare rfa',
  ])
})

test('a method that the plan does not have changes nothing', () => {
  expect(recomputed({ 'unlearn:scrub': code })).toEqual([])
})

test('changed training changes everything that comes after it', () => {
  const kept = stagesOf(locked).map(({ title }) => title)
  expect(kept.filter((title) => !recomputed({ train: code }).includes(title))).toEqual([
    'read digits',
    'split by class',
  ])
})

test('only stages of changed code carry its digest', () => {
  const changed = plan(spec, facts, { 'unlearn:rfa': code })
  const stages = stagesOf(changed)
  expect(stages.filter((stage) => 'code' in stage).map(({ title }) => title)).toEqual(['unlearn by rfa'])
  expect(stages.every((stage) => stage.key === keyOf(stage))).toBe(true)
  expect(changedCodeOf(stages)).toEqual([{ name: 'unlearn:rfa', digest: code }])
})

test('an earlier digest that gives the same results is as good as the locked one', () => {
  const sameAs = [{ digest: 'earlier', proof: 'golden' }]
  const lock = { train: { version: 1, digest: 'now', sameAs } }
  expect(['now', 'earlier', 'other'].map((digest) => isLocked('train', digest, lock))).toEqual([
    true,
    true,
    false,
  ])
  expect(isLocked('split', 'now', lock)).toBe(false)
})

test('the report says which code was changed', async () => {
  const { run } = sampleRun()
  const input = { manifests: {}, failed: [] }
  const clean = await renderReport({ ...input, run })
  const changed = await renderReport({
    ...input,
    run: { ...run, plan: plan(spec, facts, { 'unlearn:rfa': code }) },
  })
  const said = `Computed by changed code: unlearn rfa, ${code.slice(0, 12)}`
  expect(changed.html).toContain(said)
  expect(changed.markdown).toContain(said)
  expect(changed.json).toContain(code)
  for (const text of [clean.html, clean.markdown]) expect(text).not.toContain('changed code')
})
