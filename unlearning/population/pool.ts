/** The φ of the same samples under several models. */
export interface Margins {
  /** [models, samples], row-major, in nats (margin.ts). */
  readonly values: Float64Array
  readonly models: number
  readonly samples: number
}

/** Models, with the relation of each to every sample. */
export interface Pool extends Margins {
  /**
   * [models, samples], row-major: 1 if the model is one of the sample's "in" models, 0 if it is one
   * of its "out" models, any other value if it is neither. The attack defines "in": trained on the
   * sample (LiRA, RMIA), or trained on it and then made to unlearn it (U-LiRA). An out model never
   * saw it.
   */
  readonly members: Uint8Array
}

export const IN = 1
export const OUT = 0

/** The reason why no figure can be computed from these margins; undefined if there is none. */
export function unusable({ values, models, samples }: Margins): string | undefined {
  if (values.length !== models * samples)
    throw new RangeError(`${values.length} margins are not those of ${models} models on ${samples} samples`)
  if (models === 0) return 'there are no models'
  if (samples === 0) return 'the set is empty'
  if (!values.every(Number.isFinite)) return 'a margin is not finite'
  return undefined
}

/** The φ of one sample under every model, [models]. */
export function column({ values, models, samples }: Margins, sample: number): Float64Array {
  return Float64Array.from({ length: models }, (_, m) => values[m * samples + sample] ?? NaN)
}

/** The φ of one sample under its in models and under its out models. */
export function inAndOut(
  pool: Pool,
  sample: number,
): { readonly inside: Float64Array; readonly outside: Float64Array } {
  const kind = (m: number) => pool.members[m * pool.samples + sample]
  const phi = column(pool, sample)
  return {
    inside: phi.filter((_, m) => kind(m) === IN),
    outside: phi.filter((_, m) => kind(m) === OUT),
  }
}

/** The reason why some sample has too few in or out models; undefined if none has. */
export function tooFewModels(
  pool: Pool,
  least: { readonly inside: number; readonly outside: number },
): string | undefined {
  if (pool.members.length !== pool.values.length)
    throw new RangeError(`${pool.members.length} memberships do not match ${pool.values.length} margins`)
  for (let sample = 0; sample < pool.samples; sample++) {
    const { inside, outside } = inAndOut(pool, sample)
    if (inside.length < least.inside)
      return `sample ${sample} has ${inside.length} in models, and needs ${least.inside}`
    if (outside.length < least.outside)
      return `sample ${sample} has ${outside.length} out models, and needs ${least.outside}`
  }
  return undefined
}

/**
 * Joins two kinds of models on the same samples. The first are in models of every sample, the
 * second out models.
 */
export function poolOf(inside: Margins, outside: Margins): Pool {
  if (inside.samples !== outside.samples)
    throw new RangeError(`one kind of models has ${inside.samples} samples, the other ${outside.samples}`)
  const values = new Float64Array(inside.values.length + outside.values.length)
  values.set(inside.values)
  values.set(outside.values, inside.values.length)
  const members = new Uint8Array(values.length).fill(OUT).fill(IN, 0, inside.values.length)
  return { values, members, models: inside.models + outside.models, samples: inside.samples }
}

/** One score per sample, the greater the more likely in; or the reason why there is none. */
export type Scores = { readonly scores: Float64Array } | { readonly missing: string }
