const DRIVER = 'libcuda.so.1'

/**
 * Returns why TensorFlow cannot compute on a GPU of this machine, or undefined if there is a
 * driver. This needs no CUDA libraries (3 GB): it loads the driver's library as TensorFlow will
 * load it.
 * @param {string} [library]
 * @returns {string | undefined}
 */
export function driverProblem(library = DRIVER) {
  if (process.platform !== 'linux')
    return `TensorFlow has GPU kernels on Linux alone, and this is ${process.platform}`
  try {
    process.dlopen({ exports: {} }, library)
  } catch (error) {
    // This error means that the library was loaded, but is not an addon of Node.
    if (/did not self-register/.test(error.message)) return
    return `${library}, NVIDIA's driver, cannot be loaded (${error.message})`
  }
}

/**
 * Returns the device that a command has to compute on, from its arguments (`--device`) or else from
 * ZEROSHIFT_DEVICE. Loads nothing.
 * @param {readonly string[]} args
 * @returns {string | undefined} the text that the user wrote
 */
export function deviceIn(args) {
  const at = args.findLastIndex((arg) => arg === '--device' || arg.startsWith('--device='))
  if (at < 0) return process.env.ZEROSHIFT_DEVICE
  return args[at] === '--device' ? args[at + 1] : args[at].slice('--device='.length)
}
