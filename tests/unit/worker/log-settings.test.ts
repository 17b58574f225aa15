import { expect, test } from 'vitest'
import { refuseLogSettings } from '../../../worker/log-settings.ts'

test.each([
  {},
  { ZEROSHIFT_LOG: '', ZEROSHIFT_LOG_FORMAT: '' },
  { ZEROSHIFT_LOG: 'Debug', ZEROSHIFT_LOG_FORMAT: 'text' },
  { ZEROSHIFT_LOG: 'error', ZEROSHIFT_LOG_FORMAT: 'json' },
])('%j is accepted', (environment) => {
  expect(() => {
    refuseLogSettings(environment)
  }).not.toThrow()
})

test.each([
  [{ ZEROSHIFT_LOG: 'loud' }, "ZEROSHIFT_LOG is 'loud'; expected one of trace, debug, info, warn, error"],
  [{ ZEROSHIFT_LOG_FORMAT: 'JSON' }, "ZEROSHIFT_LOG_FORMAT is 'JSON'; expected one of text, json"],
  [
    { ZEROSHIFT_LOG: '3', ZEROSHIFT_LOG_FORMAT: 'xml' },
    "ZEROSHIFT_LOG is '3'; expected one of trace, debug, info, warn, error\nZEROSHIFT_LOG_FORMAT is 'xml'; expected one of text, json",
  ],
])('%j is refused', (environment, message) => {
  expect(() => {
    refuseLogSettings(environment)
  }).toThrow(expect.objectContaining({ name: 'UserError', message }) as Error)
})
