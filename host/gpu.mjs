const DRIVER = 'libcuda.so.1'

/**
 * Why TensorFlow cannot compute on a GPU here, as far as can be told before its CUDA libraries (3 GB) are there: the
 * system's loader is asked for the driver's library, as TensorFlow will ask it.
 * @param {string} [library]
 * @returns {string | undefined} undefined where there is a driver
 */
export function driverProblem(library = DRIVER) {
  if (process.platform !== 'linux')
    return `TensorFlow has GPU kernels on Linux alone, and this is ${process.platform}`
  try {
    process.dlopen({ exports: {} }, library)
  } catch (error) {
    // It was loaded, and is no addon of Node.
    if (/did not self-register/.test(error.message)) return
    return `${library}, NVIDIA's driver, cannot be loaded (${error.message})`
  }
}

/**
 * What a command is to compute on, from its arguments before anything of it is loaded: `--device`, else ZEROSHIFT_DEVICE.
 * @param {readonly string[]} args
 * @returns {string | undefined} as the user wrote it
 */
export function deviceIn(args) {
  const at = args.findLastIndex((arg) => arg === '--device' || arg.startsWith('--device='))
  if (at < 0) return process.env.ZEROSHIFT_DEVICE
  return args[at] === '--device' ? args[at + 1] : args[at].slice('--device='.length)
}
