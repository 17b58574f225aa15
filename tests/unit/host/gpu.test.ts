import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, vi } from 'vitest'
import { deviceIn, driverProblem } from '../../../host/gpu.mjs'
import { linkStrays } from '../../../infra/tensorflow.mjs'
import { test } from '../../support/fixtures.ts'

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

describe("CUDA's libraries in wheels", () => {
  test('that TensorFlow does not look for where they are get a link where it does, which moves with the folder', async ({
    directory: folder,
  }) => {
    const before = join(folder, 'before')
    for (const part of ['cusolver', 'cusparse'])
      mkdirSync(join(before, 'nvidia', part, 'lib'), { recursive: true })
    await expect(linkStrays(before)).rejects.toThrow('the CUDA libraries lack libcusolver.so.11')
    writeFileSync(join(before, 'nvidia/cusolver/lib/libcusolver.so.11'), 'cusolver')
    await linkStrays(before)
    renameSync(before, join(folder, 'after'))
    expect(readFileSync(join(folder, 'after/nvidia/cusparse/lib/libcusolver.so.11'), 'utf8')).toBe('cusolver')
  })
})
