import { expect, test } from 'vitest'
import { requestedKinds } from '../../../../experiment/stages/requested.ts'
import { metricList } from '../../../../experiment/records/metric-list.ts'

test.each(requestedKinds)('the figures of the stage kind %s are described', (kind) => {
  expect(metricList.filter((line) => line.in === kind)).not.toEqual([])
})

test('no two figures have one name', () => {
  const names = metricList.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})
