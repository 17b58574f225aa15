import { describe, expect, test } from 'vitest'
import { rowsOf, seedsOf } from '../../../experiment/stages/stage-list.ts'
import { resultsBySeed } from '../../../report/results.ts'
import { contentsOf, rowTag, type RunContents } from '../../../tracking/contents.ts'
import { checkMetric, checkName } from '../../../tracking/limits.ts'
import { sampleInput, type Options } from '../report/fixtures.ts'

function contents(options: Options = {}): readonly RunContents[] {
  const input = sampleInput(options)
  return contentsOf({
    run: { ...input.run, failed: input.failed },
    rows: resultsBySeed(input),
    manifests: input.manifests,
    nonce: 'nonce',
    startedAt: 1,
    ended: { status: 'FINISHED', at: Date.parse('2025-11-24T12:00:00.000Z') },
  })
}

describe('the MLflow runs of several seeds', () => {
  const seeds = [{ rfa: { ra: 98 } }, { rfa: { ra: 99 } }]
  const runs = contents({ seeds })
  const [parent, ...children] = runs

  test('are a parent and a child for each model of each seed, named with the seed', () => {
    const { plan } = sampleInput({ seeds }).run
    expect(children.map(({ name }) => name)).toEqual(
      seedsOf(plan).flatMap((seed, i) => rowsOf(seed).map(({ label }) => `${label}, seed ${i + 1}`)),
    )
    expect(contents().map(({ name }) => name)).not.toContainEqual(expect.stringContaining('seed 1'))
  })

  test('each have a key and a row of their own', () => {
    expect(new Set(runs.map(({ key }) => key)).size).toBe(runs.length)
    expect(children.map(({ tags }) => tags[rowTag])).toEqual(children.map((_, i) => String(i)))
  })

  test('have the figures and the seeds of their own seed', () => {
    const rfa = children.filter(({ name }) => name.startsWith('rfa, '))
    expect(rfa.map(({ metrics }) => metrics.find(({ key }) => key === 'ra')?.value)).toEqual([98, 99])
    expect(rfa.map(({ params }) => [params['seed.training'], params['seed.unlearning']])).toEqual([
      ['1', '1'],
      ['2', '2'],
    ])
    expect(rfa.map(({ tags }) => tags['zeroshift.seed'])).toEqual(['1', '2'])
    expect(parent?.params.seeds).toBe('2')
  })

  test('have names that MLflow takes, and each curve of the parent under one of its own', () => {
    for (const { metrics } of runs) for (const metric of metrics) checkMetric(metric)
    for (const { params, tags } of runs)
      for (const name of Object.keys({ ...params, ...tags })) checkName(name)
    const points = (parent?.metrics ?? []).map(({ key, step }) => `${key} ${step}`)
    expect(new Set(points).size).toBe(points.length)
    expect(points).toContain('seed 2/gold 1/loss 1')
  })
})

test('a single seed leaves no word of seeds', () => {
  const [parent, ...children] = contents()
  expect(parent?.params).not.toHaveProperty('seeds')
  expect(parent?.metrics.map(({ key }) => key)).toContain('original/loss')
  for (const { tags } of children) expect(tags).not.toHaveProperty('zeroshift.seed')
})

test('what shadow models found of a row is among its figures', () => {
  const [, ...children] = contents({ shadows: 8 })
  const original = children.find(({ name }) => name === 'original')
  expect(original?.metrics).toContainEqual(
    expect.objectContaining({ key: 'forget.lira.auc', value: 0.75, step: 0 }),
  )
  expect(original?.metrics.map(({ key }) => key)).not.toContain('forget.lira.tprAt1')
  for (const metric of original?.metrics ?? []) checkMetric(metric)
})

test('how fast a row learnt the forget set again, and what its features know, is among its figures', () => {
  const [, ...children] = contents({ features: true })
  const finetune = children.find(({ name }) => name === 'finetune')
  const valueOf = (key: string) => finetune?.metrics.find((metric) => metric.key === key)?.value
  expect(valueOf('relearn.steps')).toBe(4)
  expect(valueOf('relearn.ain')).toBe(0.4)
  expect(valueOf('probe.head.accuracy')).toBeCloseTo(82.26, 10)
  expect(valueOf('probe.conv2.cka.forget')).toBeCloseTo(0.6774, 10)
  expect(valueOf('probe.head.cka.forget')).toBeUndefined()
  expect(finetune?.metrics.filter(({ key }) => key === 'relearn/accuracy').map(({ step }) => step)).toEqual([
    0, 4,
  ])
  for (const metric of finetune?.metrics ?? []) checkMetric(metric)
})

test('what was measured in trainings is among the curves', () => {
  const steps = { steps: 20, curve: [] }
  const accuracy = [
    { step: 18, epoch: 1, training: { value: 71.5 }, validation: { value: 64 } },
    { step: 36, epoch: 2, training: { value: 98 }, validation: { missing: 'the logits are not finite' } },
  ]
  const norms = {
    layers: ['conv1', 'a/b'],
    points: [{ step: 10, retained: [0.25, 0.5], forget: [1, 2] }],
  }
  const [parent, ...children] = contents({
    figures: { train: () => ({ ...steps, accuracy }), unlearn: () => ({ ...steps, norms }) },
  })
  const pointsOf = (metrics: RunContents['metrics'], start: string) =>
    metrics.filter(({ key }) => key.startsWith(start)).map(({ key, value, step }) => [key, value, step])
  expect(pointsOf(parent?.metrics ?? [], 'gold 1/')).toEqual([
    ['gold 1/accuracy/training', 71.5, 18],
    ['gold 1/accuracy/validation', 64, 18],
    ['gold 1/accuracy/training', 98, 36],
  ])
  const rfa = children.find(({ name }) => name === 'rfa')?.metrics ?? []
  expect(pointsOf(rfa, 'residual norm/')).toEqual([
    ['residual norm/retained/conv1', 0.25, 10],
    ['residual norm/retained/a_b', 0.5, 10],
    ['residual norm/forget/conv1', 1, 10],
    ['residual norm/forget/a_b', 2, 10],
  ])
  for (const { metrics } of [...children, ...(parent ? [parent] : [])])
    for (const metric of metrics) checkMetric(metric)
})
