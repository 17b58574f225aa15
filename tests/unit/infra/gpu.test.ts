import { afterEach, describe, expect, test, vi } from 'vitest'
import { deviceIn, driverProblem } from '../../../infra/gpu.mjs'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the device that arguments name', () => {
  test.each([
    [['--device', 'gpu'], 'gpu'],
    [['--queue', 'zeroshift-train', '--device=gpu'], 'gpu'],
    [['--device', 'gpu', '--device=cpu'], 'cpu'],
    [['--device'], undefined],
  ])('%j: %s', (args, device) => {
    vi.stubEnv('ZEROSHIFT_DEVICE', 'cpu')
    expect(deviceIn(args)).toBe(device)
  })

  test('is ZEROSHIFT_DEVICE where they name none', () => {
    vi.stubEnv('ZEROSHIFT_DEVICE', 'gpu')
    expect(deviceIn(['--queue', 'zeroshift-train'])).toBe('gpu')
    vi.stubEnv('ZEROSHIFT_DEVICE', undefined)
    expect(deviceIn([])).toBeUndefined()
  })
})

describe.skipIf(process.platform !== 'linux')('the driver', () => {
  test('is there where the loader finds its library', () => {
    expect(driverProblem('libm.so.6')).toBeUndefined()
  })

  test('is missing by name where the loader does not', () => {
    expect(driverProblem('libcuda-of-nobody.so.1')).toMatch(
      /^libcuda-of-nobody\.so\.1, NVIDIA's driver, cannot be loaded \(.*No such file/,
    )
  })
})
