import type { ApproximateMethodName } from './methods.ts'
import type { RangeSpec } from './range.ts'

/**
 * The values that tuning draws an option from: a range, or factors of the value that the row has.
 * With factors, one space suits a rate of 0.1 for SGD and a rate of 0.001 for Adam. Values between
 * the two factors are drawn on a logarithmic scale, and whole numbers stay whole.
 */
export type SearchRange = RangeSpec | { readonly times: readonly [low: number, high: number] }

/** By path of an option of the method. */
export type SearchSpace = Readonly<Record<string, SearchRange>>

const rate = { 'optimizer.learningRate': { times: [0.1, 10] } } as const
const epochs = { epochs: { times: [0.5, 2] } } as const

const linear = (from: number, to: number): RangeSpec => ({ from, to, scale: 'linear', whole: false })
const log = (from: number, to: number): RangeSpec => ({ from, to, scale: 'log', whole: false })
/** Weights of descent: what is left to 1 is the weight of ascent. */
const descent: RangeSpec = { choices: [0.9, 0.95, 0.99, 0.999, 0.9999] }

/**
 * The search space of every method, unless a row has its own. It varies the rate by a factor of 10
 * to both sides, the work by a factor of 2, and the weights of the method. Options that decide what
 * the method is, such as the layers that it trains, are not varied.
 */
export const searchSpaces: Readonly<Record<ApproximateMethodName, SearchSpace>> = {
  // An exact method has nothing to tune.
  replay: {},
  sisa: {},
  finetune: { ...rate, ...epochs },
  'random-label': { ...rate, ...epochs },
  // Ascent has no minimum. The rates that keep the model are far below that of the training.
  'gradient-ascent': { 'optimizer.learningRate': { times: [0.001, 1] }, ...epochs },
  'neggrad-plus': { alpha: descent, ...rate, ...epochs },
  'l1-sparse': { alpha: log(1e-5, 1e-3), ...rate, ...epochs },
  'bad-teacher': { retainedFraction: linear(0.1, 1), temperature: log(0.5, 4), ...rate, ...epochs },
  scrub: { alpha: { times: [0.1, 10] }, temperature: log(1, 8), ...rate, ...epochs },
  'boundary-shrink': {
    epsilon: { times: [0.25, 4] },
    'optimizer.learningRate': { times: [0.1, 100] },
    ...epochs,
  },
  'boundary-expand': { 'optimizer.learningRate': { times: [0.1, 100] }, ...epochs },
  unsir: {
    noiseRate: { times: [0.1, 10] },
    noisePenalty: { times: [0.1, 10] },
    ...rate,
    repairRate: { times: [0.1, 10] },
  },
  salun: { share: linear(0.1, 0.9), ...rate, ...epochs },
  delete: { ...rate, ...epochs },
  ct: { ...rate, ...epochs },
  msg: { share: linear(0.1, 0.7), damping: linear(0, 0.5), ...rate, ...epochs },
  'sfr-on': {
    alpha: { times: [0.1, 10] },
    threshold: { times: [0.3, 3] },
    ...rate,
    iterations: { times: [0.5, 2] },
  },
  amun: { epsilon: { times: [0.25, 4] }, ...rate, ...epochs },
  'cf-k': { ...rate, ...epochs },
  'eu-k': { ...rate, ...epochs },
  // A greater alpha selects fewer parameters, and beyond a limit none.
  ssd: { alpha: { times: [0.1, 1] }, lambda: { times: [0.1, 10] } },
  // Closed form: its only option is how many samples its probes see. It is not tuned.
  damp: {},
  fisher: { alpha: { times: [0.01, 100] }, power: linear(0.5, 1) },
  influence: { alpha: { times: [0.1, 20] }, damping: { times: [0.1, 10] } },
  'lora-random-label': { ...rate, ...epochs },
  'lora-neggrad-plus': { retainedWeight: descent, ...rate, ...epochs },
  rfa: {
    lambda: { times: [0.1, 10] },
    ridge: { times: [0.1, 10] },
    ...rate,
    steps: { times: [0.5, 2] },
    refitEpochs: { times: [0.5, 2] },
    renew: { times: [0.25, 1.6] },
  },
  // A plug-in is tuned if its row names a space.
  plugin: {},
}
