import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { UserError } from '../../../../common/errors.ts'
import { deviceNamed, deviceSettings, fromDriver } from '../../../../learning/tensorflow/device.ts'
import { test } from '../../../support/fixtures.ts'

test('the device is the CPU unless another is named, and no other than is known', () => {
  expect([undefined, '', 'cpu', 'gpu'].map((name) => deviceNamed(name))).toEqual(['cpu', 'cpu', 'cpu', 'gpu'])
  expect(() => deviceNamed('cuda', '--device')).toThrow(UserError)
  expect(() => deviceNamed('cuda', '--device')).toThrow(
    "--device: there is no device 'cuda'; expected one of cpu, gpu",
  )
})

describe('the settings of a process', () => {
  test('on the CPU hide every GPU, whatever library is there', () => {
    expect(deviceSettings('cpu', { CUDA_VISIBLE_DEVICES: '0,1' })).toEqual({ CUDA_VISIBLE_DEVICES: '-1' })
  })

  test('on a GPU are one GPU, growing memory and deterministic kernels', () => {
    expect(deviceSettings('gpu', {})).toEqual({
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      CUDA_VISIBLE_DEVICES: '0',
      TF_FORCE_GPU_ALLOW_GROWTH: 'true',
      TF_DETERMINISTIC_OPS: '1',
    })
  })

  test.each([
    ['2,3', '2'],
    ['GPU-5ebe9f43, GPU-ac33420d', 'GPU-5ebe9f43'],
    ['-1', '-1'],
  ])('on a GPU take the first of those that an orchestrator gave: %s', (given, taken) => {
    expect(deviceSettings('gpu', { CUDA_VISIBLE_DEVICES: given }).CUDA_VISIBLE_DEVICES).toBe(taken)
  })

  test('leave what the user has set', () => {
    const own = {
      CUDA_DEVICE_ORDER: 'FASTEST_FIRST',
      CUDA_VISIBLE_DEVICES: '1',
      TF_FORCE_GPU_ALLOW_GROWTH: 'false',
      TF_DETERMINISTIC_OPS: '0',
    }
    expect(deviceSettings('gpu', own)).toEqual(own)
  })
})

test("the GPU's model is read from the driver where there is no nvidia-smi", ({ directory: folder }) => {
  expect(fromDriver(folder)).toBeUndefined()
  mkdirSync(join(folder, '0000:0a:00.0'))
  writeFileSync(
    join(folder, '0000:0a:00.0/information'),
    'Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 44\n',
  )
  expect(fromDriver(folder)).toBe('NVIDIA H100 80GB HBM3')
})
