import { onTestFinished, test as base } from 'vitest'
import { deviceData } from './toy.ts'

/** A test that receives the toy data on the device: `test('…', ({ data }) => …)`. */
export const test = base.extend('data', () => {
  const data = deviceData()
  onTestFinished(() => {
    data.dispose()
  })
  return data
})
