/** Why TensorFlow cannot compute on a GPU here, as far as can be told without its CUDA libraries; undefined where there is a driver. */
export function driverProblem(library?: string): string | undefined

/** What a command is to compute on: `--device` among its arguments, else ZEROSHIFT_DEVICE. */
export function deviceIn(args: readonly string[]): string | undefined
