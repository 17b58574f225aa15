import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../../experiment/spec/config.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { requestedByKind, requestedKinds } from '../../../experiment/stages/requested.ts'
import { judgingStagesOf, stagesOf } from '../../../experiment/stages/stage-list.ts'
import { expectListed } from './listed.ts'
import { digitFacts, parseProblems, sample } from './sample.ts'

const planOf = (text: string) => plan(parseConfig({ file: 'a.yaml', text }).spec, digitFacts)

describe.each(requestedKinds)('the section %s of a config', (kind) => {
  const { needs, example } = requestedByKind[kind]
  const base = needs === undefined ? sample : `${sample}${needs}: { models: 8 }\n`
  const asked = `${base}${kind}: ${JSON.stringify(example)}\n`

  test('has no default', () => {
    expect(parseConfig({ file: 'a.yaml', text: sample }).spec).not.toHaveProperty(kind)
    expect(judgingStagesOf(planOf(sample), kind)).toEqual([])
  })

  test('adds a stage for each model after all others, and changes none', () => {
    const before = stagesOf(planOf(base)).map(({ key }) => key)
    const planned = planOf(asked)
    const after = stagesOf(planned)
    expect(after.slice(0, before.length).map(({ key }) => key)).toEqual(before)
    expect(after.slice(before.length).map(({ title }) => title)).toEqual(
      ['retrain', 'original', 'rfa', 'retrain, seed 2'].map((label) => `${kind} ${label}`),
    )
    expectListed(planned)
  })

  test('refuses an unknown option where it is written', () => {
    expect(parseProblems(`${sample}${kind}: { unheard: 1 }\n`)).toMatchObject([{ path: `${kind}.unheard` }])
  })
})
