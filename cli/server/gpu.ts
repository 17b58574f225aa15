import { errorMessage, UserError } from '../../common/errors.ts'
import { driverProblem } from '../../host/gpu.mjs'
import { deviceNamed, visibleGpus } from '../../learning/tensorflow/device.ts'
import { tensorflowHere } from './tensorflow.ts'

export const gpuRemedy =
  "Install NVIDIA's driver (525.60 or newer, for CUDA 12); give a container its GPU (docker run --gpus all). CUDA's own libraries come with " +
  'the set-up: `./zeroshift setup --device gpu`.'

/** Throws a UserError if ZEROSHIFT_DEVICE asks for a GPU and there is no driver for one. */
export function refuseWithoutDriver(): void {
  if (deviceNamed(process.env.ZEROSHIFT_DEVICE) !== 'gpu') return
  const problem = driverProblem()
  if (problem !== undefined) throw refusal(problem)
}

/** Throws a UserError if there is no driver or TensorFlow finds no GPU. Takes some seconds. */
export function refuseWithoutGpu(): void {
  refuseWithoutDriver()
  try {
    tensorflowHere('gpu')
  } catch (error) {
    throw refusal(errorMessage(error))
  }
}

function refusal(problem: string): UserError {
  const { CUDA_VISIBLE_DEVICES: visible } = process.env
  const hidden = visible === undefined ? '' : ` CUDA_VISIBLE_DEVICES is '${visible}'.`
  return new UserError(
    `asked for a GPU, and there is none to compute on: ${problem}.${hidden} ${gpuRemedy} Or leave it out, to compute on the CPU.`,
  )
}

/**
 * Returns the value of CUDA_VISIBLE_DEVICES for one of the GPUs that this process may use, counted
 * from 0. Throws a UserError if there is no such GPU.
 */
export function chooseGpu(index: string, env: NodeJS.ProcessEnv = process.env, option = '--gpu'): string {
  const visible = visibleGpus(env)
  const number = /^\d+$/.test(index) ? Number(index) : NaN
  const chosen = visible.length === 0 && number >= 0 ? String(number) : visible[number]
  if (chosen !== undefined) return chosen
  const known =
    visible.length === 0
      ? 'a number as nvidia-smi counts them, from 0 on'
      : `one from 0 to ${visible.length - 1}, since CUDA_VISIBLE_DEVICES is '${visible.join(',')}'`
  throw new UserError(`${option}: found '${index}'; expected ${known}`)
}
