import { beforeAll, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { MlflowClient } from '../../../tracking/mlflow.ts'
import { sharedMlflow } from '../../support/shared.ts'
import { ask, holds, losing } from './holds.ts'

let url: string
beforeAll(async () => {
  url = await sharedMlflow()
})

const newRun = (key: string, tags = {}) => ({
  name: key,
  startTime: 1000,
  tags: { ...tags, key },
  mark: 'key',
})

test('experiments are made once, runs are found by their tags, and their status is set', async () => {
  const client = new MlflowClient(url)
  const experiment = await client.experiment('found again')
  expect(await client.experiment('found again')).toBe(experiment)
  const { run, isNew } = await client.createRun(experiment, newRun('a/b', { of: 'x' }))
  const other = await client.createRun(experiment, newRun('a/c', { of: 'x' }))
  expect(isNew && other.isNew).toBe(true)
  const found = await client.runsWith(experiment, 'of', 'x')
  expect(found.map(({ id }) => id).sort()).toEqual([run.id, other.run.id].sort())
  expect(await client.runsWith(experiment, 'key', 'a/b')).toMatchObject([{ id: run.id, status: 'RUNNING' }])
  await client.update(run.id, 'KILLED', 2000)
  expect(await client.run(run.id)).toMatchObject({ status: 'KILLED', endTime: 2000, tags: { key: 'a/b' } })
  await client.deleteRun(run.id)
  await client.deleteRun(run.id)
  expect(await client.run(run.id)).toBeUndefined()
  expect(await client.run('0'.repeat(32))).toBeUndefined()
  expect(await client.runsWith(experiment, 'of', 'x')).toMatchObject([{ id: other.run.id }])
})

test('more than one call, or one page of answers, can hold arrives whole, and once', async () => {
  const client = new MlflowClient(url)
  const { run } = await client.createRun(await client.experiment('limits'), newRun('limits'))
  const metrics = Array.from({ length: 12_500 }, (_, i) => ({
    key: i % 10 === 0 ? 'loss' : 'other',
    value: 1 / (i + 1),
    timestamp: 5000,
    step: i,
  }))
  const params = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`p${i}`, 'x'.repeat(24 * i)]))
  const tags = { long: 'y'.repeat(5000) }
  expect(await client.log(run.id, { metrics, params, tags }, { asks: false })).toBe(12_500)
  expect(await client.log(run.id, { metrics, params, tags })).toBe(0)
  expect(
    await client.log(run.id, { metrics: [...metrics, { key: 'loss', value: 7, timestamp: 1, step: -3 }] }),
  ).toBe(1)
  const [held] = await holds(url, 'limits')
  for (const key of ['loss', 'other'])
    expect(held?.metrics[key]?.filter(([step]) => step >= 0)).toEqual(
      metrics.filter((one) => one.key === key).map(({ step, value }) => [step, value, 5000]),
    )
  expect(held?.metrics.loss).toHaveLength(1251)
  expect(held?.params).toEqual(params)
  expect(held?.tags.long).toBe(tags.long)
})

test('a run whose answer got lost is found again, not made twice', async () => {
  const lossy = await losing(url, (path, count) => path.endsWith('runs/create') && count < 5)
  const client = new MlflowClient(lossy.url, { retryAfter: 5 })
  const experiment = await client.experiment('lossy')
  const { run, isNew } = await client.createRun(experiment, newRun('lost'))
  expect(lossy.lost()).toBe(1)
  // Another client may have made it.
  expect(isNew).toBe(false)
  expect((await holds(url, 'lossy')).map(({ id }) => id)).toEqual([run.id])
  await lossy.close()
})

test('an experiment that was deleted is said to be', async () => {
  const client = new MlflowClient(url)
  await ask(url, 'experiments/delete', { experiment_id: await client.experiment('gone') })
  await expect(client.experiment('gone')).rejects.toThrow(UserError)
})
