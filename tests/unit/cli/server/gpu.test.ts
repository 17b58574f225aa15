import { describe, expect, test } from 'vitest'
import { chooseGpu } from '../../../../cli/server/gpu.ts'

describe('the GPU of a worker', () => {
  test('is the one of its number', () => {
    expect(chooseGpu('3', {})).toBe('3')
  })

  test('is counted among those that the process may see', () => {
    expect(chooseGpu('1', { CUDA_VISIBLE_DEVICES: '4,GPU-ac33420d' })).toBe('GPU-ac33420d')
    expect(() => chooseGpu('2', { CUDA_VISIBLE_DEVICES: '4,5' })).toThrow(
      "--gpu: found '2'; expected one from 0 to 1, since CUDA_VISIBLE_DEVICES is '4,5'",
    )
  })

  test.each(['-1', 'first', '0,1', ''])('is one, by its number: not %j', (index) => {
    expect(() => chooseGpu(index, {})).toThrow('expected a number as nvidia-smi counts them, from 0 on')
  })
})
