import { expect, test } from 'vitest'
import { searchAttributesOf } from '../../../../experiment/records/search-attributes.ts'
import { sampleRun } from '../../../support/run.ts'

const { run } = sampleRun()
const named = (sweep?: string) =>
  Object.fromEntries(searchAttributesOf(run, sweep).map(({ key, value }) => [key.name, value]))

test('a run is found by its data, methods, ranks and what it computes', () => {
  expect(named()).toEqual({
    ZeroshiftDataset: 'digits',
    ZeroshiftMethods: ['retrain', 'finetune', 'rfa'],
    ZeroshiftRanks: ['4'],
    ZeroshiftConfig: run.id.replace('sample-', ''),
  })
})

test('a cell of a sweep also by the sweep', () => {
  expect(named('ranks-0a1b2c3d')).toEqual({ ...named(), ZeroshiftSweep: 'ranks-0a1b2c3d' })
})

test('methods and ranks are named once each, however often they come', () => {
  const [method] = run.spec.methods.slice(2)
  if (!method) throw new Error('the sample has no third method')
  const twice = { ...run, spec: { ...run.spec, methods: [method, method] } }
  const values = searchAttributesOf(twice).map(({ value }) => value)
  expect(values.slice(1, 3)).toEqual([['rfa'], ['4']])
})
