import { expect, test } from 'vitest'
import { skewSeconds } from '../../../../cli/doctor/check-store.ts'

const noon = Date.UTC(2026, 0, 1, 12)

test.each([
  ['a moment within the write', noon + 400, 0],
  ['the whole second before it, as S3 gives it', noon - 999, 0],
  ['a minute after it', noon + 500 + 60_000, 60],
  ['an hour before it', noon - 3_601_000, -3600],
])('the clock of a store that notes %s', (_, modified, ahead) => {
  expect(skewSeconds(modified, noon, noon + 500)).toBe(ahead)
})
