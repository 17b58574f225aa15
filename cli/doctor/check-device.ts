import { cpus, totalmem } from 'node:os'
import { driverProblem } from '../../host/gpu.mjs'
import { isNativeReady } from '../../infra/native.mjs'
import type { Device } from '../../learning/tensorflow/device.ts'
import type { Check } from './doctor-check.ts'
import { counted } from '../output/format.ts'
import { gpuRemedy } from '../server/gpu.ts'
import { tensorflowHere, type TensorFlowHere } from '../server/tensorflow.ts'

/** Returns the checks of TensorFlow's library and of the device that it computes on. */
export function deviceChecks(device: Device): readonly Check[] {
  let onCpu: TensorFlowHere | undefined
  return [
    {
      name: 'TensorFlow',
      needed: true,
      remedy: 'Run `./zeroshift setup`; it says what it lacks.',
      perform: () => {
        onCpu = tensorflowHere('cpu')
        return `${onCpu.version}, ${isNativeReady({ gpu: true }) ? "with CUDA's libraries" : 'for the CPU'}`
      },
    },
    {
      name: 'device',
      needed: true,
      remedy: device === 'gpu' ? gpuRemedy : 'See TensorFlow above.',
      perform: () => {
        if (device === 'cpu') {
          if (!onCpu) throw new Error('TensorFlow does not load')
          const processor = cpus()[0]?.model.trim() ?? 'CPU'
          return `${processor}, ${(totalmem() / 1e9).toFixed(1)} GB of memory, ${threadsOf(onCpu)}`
        }
        const problem = driverProblem()
        if (problem !== undefined) throw new Error(problem)
        const here = tensorflowHere('gpu')
        const memory = here.memory === undefined ? '' : `, ${(here.memory / 1000).toFixed(1)} GB of memory`
        return `${here.gpu ?? 'GPU'}${memory}, ${threadsOf(here)}`
      },
    },
  ]
}

function threadsOf({ threads }: TensorFlowHere): string {
  return `${counted(threads, 'thread')} an operation`
}
