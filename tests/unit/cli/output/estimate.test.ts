import { describe, expect, test } from 'vitest'
import { estimateOf } from '../../../../cli/output/estimate.ts'
import type { Manifest } from '../../../../experiment/records/manifest.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import type { Stage } from '../../../../experiment/stages/stage.ts'
import { sampleRun } from '../../../support/run.ts'

const past = (stage: Stage, seconds: number) => ({ ...stage, clock: { seconds } }) as unknown as Manifest

describe('the estimate of what stages will take', () => {
  const stages = stagesOf(sampleRun({ seed: 1 }).run.plan)
  const before = stagesOf(sampleRun({ seed: 7 }).run.plan)

  test('goes by stages that differ in their seeds alone, where there are any', () => {
    const manifests = before.map((stage) => past(stage, stage.kind === 'train' ? 10 : 1))
    const trainings = stages.filter(({ kind }) => kind === 'train').length
    const { byKey, ...estimate } = estimateOf(stages, manifests)
    expect(byKey.size).toBe(stages.length)
    expect(estimate).toEqual({
      seconds: 10 * trainings + (stages.length - trainings),
      from: before.length,
      unknown: [],
    })
  })

  test("goes by the closest: the same method's before another one's", () => {
    const isRfa = (stage: Stage) =>
      stage.kind === 'unlearn' && 'method' in stage.params && stage.params.method.method === 'rfa'
    const methods = before.filter(({ kind }) => kind === 'unlearn')
    const manifests = methods.map((stage) => past(stage, isRfa(stage) ? 100 : 3))
    const wanted = stages.filter(isRfa)
    expect(estimateOf(wanted, manifests).seconds).toBe(100)
  })

  test('says of which kinds nothing is known, and counts nothing for them', () => {
    const manifests = before.filter(({ kind }) => kind === 'train').map((stage) => past(stage, 2))
    const { seconds, unknown } = estimateOf(stages, manifests)
    expect(seconds).toBe(2 * stages.filter(({ kind }) => kind === 'train').length)
    expect([...unknown].sort()).toEqual(
      [...new Set(stages.map(({ kind }) => kind))].filter((kind) => kind !== 'train').sort(),
    )
  })

  test('takes no stage on another data set or with another model', () => {
    const trainings = stages.filter((stage) => stage.kind === 'train')
    const others = before.flatMap((stage) =>
      stage.kind === 'train'
        ? [
            past(
              { ...stage, inputs: { ...stage.inputs, dataset: { kind: 'dataset', key: '0'.repeat(64) } } },
              9,
            ),
            past({ ...stage, params: { ...stage.params, model: { name: 'mlp', hidden: [3] } } }, 9),
          ]
        : [],
    )
    expect(estimateOf(trainings, others)).toMatchObject({ seconds: 0, from: 0, unknown: ['train'] })
  })

  test('takes other trainings of the same model on the same data set', () => {
    const trainings = stages.filter((stage) => stage.kind === 'train').slice(0, 1)
    const others = before.flatMap((stage) =>
      stage.kind === 'train' && 'training' in stage.params
        ? [
            past(
              { ...stage, params: { ...stage.params, training: { ...stage.params.training, epochs: 99 } } },
              9,
            ),
          ]
        : [],
    )
    expect(estimateOf(trainings, others)).toMatchObject({ seconds: 9, unknown: [] })
  })
})
