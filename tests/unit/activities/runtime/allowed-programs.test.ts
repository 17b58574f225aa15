import { expect, test } from 'vitest'
import { allowsPrograms } from '../../../../activities/runtime/allowed-programs.ts'

test.each<[string | undefined, boolean, boolean]>([
  [undefined, false, false],
  [undefined, true, true],
  ['', true, true],
  ['1', false, true],
  ['0', true, false],
])('ZEROSHIFT_ALLOW_EXTERNAL=%s, %s unless it is set: %s', (value, unlessSet, allowed) => {
  expect(allowsPrograms(unlessSet, { ZEROSHIFT_ALLOW_EXTERNAL: value })).toBe(allowed)
})

test('another value is refused', () => {
  expect(() => allowsPrograms(false, { ZEROSHIFT_ALLOW_EXTERNAL: 'yes' })).toThrow(
    "is 'yes'; expected 1 or 0",
  )
})
