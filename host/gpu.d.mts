/**
 * Returns why TensorFlow cannot compute on a GPU of this machine, or undefined if there is a
 * driver.
 */
export function driverProblem(library?: string): string | undefined

/** Returns the device that a command has to compute on: `--device` or else ZEROSHIFT_DEVICE. */
export function deviceIn(args: readonly string[]): string | undefined
