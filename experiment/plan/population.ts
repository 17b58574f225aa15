/** The number of models that population figures need, and the bias of U-LiRA with few models. */

/**
 * The least number of models of each kind (seeds) for each figure. With fewer models, two gold
 * models differ as much as the original does, and the figure says nothing about the method.
 * Georgiev et al. (2024) use 100 models for KLoM, and the NeurIPS 2023 challenge 512 for forgetting
 * quality.
 */
export const leastModels = { uLira: 8, forgettingQuality: 32, klom: 64 } as const
export type PopulationFigure = keyof typeof leastModels

/** True accuracies in percent for which reports give the accuracy that U-LiRA measures. */
export const trueAccuracies = [60, 70, 84, 95] as const
export type TrueAccuracy = (typeof trueAccuracies)[number]

/**
 * The mean accuracy in percent that U-LiRA measures, by the number of models of each kind. The true
 * accuracy is that of the best possible attack if φ is normal with the same variance for both
 * kinds. U-LiRA measures less, since it estimates the two distributions from few models.
 * tests/unit/unlearning/population/bias.test.ts derives the table.
 */
const measured: readonly {
  readonly models: number
  readonly percent: Readonly<Record<TrueAccuracy, number>>
}[] = [
  { models: 3, percent: { 60: 52.1, 70: 58.0, 84: 70.5, 95: 81.8 } },
  { models: 8, percent: { 60: 55.2, 70: 66.4, 84: 82.3, 95: 93.7 } },
  { models: 16, percent: { 60: 57.0, 70: 68.8, 84: 83.5, 95: 94.5 } },
  { models: 32, percent: { 60: 58.6, 70: 69.6, 84: 83.8, 95: 94.8 } },
  { models: 64, percent: { 60: 59.5, 70: 69.9, 84: 83.9, 95: 94.9 } },
]

/**
 * The measured accuracy in percent for a number of models, at least 3. Between the entries of the
 * table it is linear in 1/models.
 */
export function measuredULira(truth: TrueAccuracy, models: number): number {
  const known = [...measured.map((row) => [1 / row.models, row.percent[truth]] as const), [0, truth] as const]
  const x = 1 / models
  const at = known.findIndex(([inverse]) => inverse <= x)
  const [right, left] = [known[at], known[at - 1]]
  if (right?.[0] === x) return right[1]
  if (!right || !left) throw new RangeError(`${models} models; expected at least 3`)
  return right[1] + ((left[1] - right[1]) * (x - right[0])) / (left[0] - right[0])
}

/**
 * The reason why a figure is missing with this number of models of each kind. Undefined if there
 * are enough.
 */
export function tooFewFor(figure: PopulationFigure, models: number): string | undefined {
  const least = leastModels[figure]
  if (models >= least) return undefined
  return `${names[figure]} needs ${least} models of each kind; there are ${models}: ${consequences[figure]}`
}

const names: Readonly<Record<PopulationFigure, string>> = {
  uLira: 'U-LiRA',
  forgettingQuality: 'Forgetting quality',
  klom: 'KLoM',
}

const consequences: Readonly<Record<PopulationFigure, string>> = {
  uLira: 'with fewer, it misses much of what there is to find (with 3, a true 84% measures 71%)',
  forgettingQuality: 'with fewer, it has less than 8 steps, and chance alone decides between them',
  klom: 'with fewer, two gold models differ as much as the original does',
}
