import { expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { progressSeconds } from '../../../worker/progress.ts'

test('progress is told every second, or as the environment says', () => {
  expect(progressSeconds({})).toBe(1)
  expect(progressSeconds({ ZEROSHIFT_PROGRESS_SECONDS: '24' })).toBe(24)
  expect(progressSeconds({ ZEROSHIFT_PROGRESS_SECONDS: '0.5' })).toBe(0.5)
})

test.each(['', ' ', '0', '-1', 'often', '3601', 'Infinity'])('of "%s" seconds is refused', (text) => {
  expect(() => progressSeconds({ ZEROSHIFT_PROGRESS_SECONDS: text })).toThrow(UserError)
})
