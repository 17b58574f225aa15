/** The options of `zeroshift worker`. */
export interface WorkerOptions {
  readonly queue?: readonly string[]
  readonly device?: string
  /** The number of a GPU, counted from 0. */
  readonly gpu?: string
  /** The numbers of several GPUs, separated by commas: each gets a process. */
  readonly gpus?: string
  readonly buildId?: string
  readonly exitWhenIdle?: string
  readonly readyFile?: string
  readonly metricsPort?: string
  readonly metricsHost?: string
  readonly temporal?: string
  readonly allowStore?: readonly string[]
  readonly allowSource?: readonly string[]
  readonly allowTracking?: readonly string[]
  readonly allowExternal?: true
}
