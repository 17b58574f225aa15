import { permutation, sample, type RandomStream } from '../../learning/random.ts'

/** Indices of the samples on which features are compared and probed. */
export interface ProbeSamples {
  /** Drawn samples of D_f, and as many of D_r if it has enough. */
  readonly forget: Int32Array
  readonly retained: Int32Array
  /**
   * Training samples of the probes: half of the drawn samples of D_f, class by class, and retained
   * samples of every class.
   */
  readonly train: Int32Array
  /** Test samples of the probes: the other half. */
  readonly test: Int32Array
}

/**
 * Draws the samples. `count` is the largest number of samples of D_f. Half as many samples of each
 * class of D_r train the probes.
 */
export function probeSamples(
  { retained, forget }: { readonly retained: Int32Array; readonly forget: Int32Array },
  labels: Int32Array,
  count: number,
  random: RandomStream,
): ProbeSamples {
  const drawn = sample(forget, count, random)
  // The first sample of a class trains, so that a class with a single sample is not unknown to the
  // probe.
  const place = placesInClass(drawn, labels)
  const ofClasses = permutation(retained.length, random).map((i) => retained[i] ?? -1)
  const retainedPlace = placesInClass(ofClasses, labels)
  const most = Math.max(1, Math.floor(count / 2))
  return {
    forget: drawn,
    retained: sample(retained, drawn.length, random),
    train: Int32Array.from([
      ...drawn.filter((_, i) => (place[i] ?? 0) % 2 === 0),
      ...ofClasses.filter((_, i) => (retainedPlace[i] ?? 0) < most),
    ]),
    test: drawn.filter((_, i) => (place[i] ?? 0) % 2 === 1),
  }
}

/** For each sample, the number of earlier samples of the same class. */
function placesInClass(indices: Int32Array, labels: Int32Array): Int32Array {
  const seen = new Map<number, number>()
  return indices.map((index) => {
    const label = labels[index] ?? -1
    const place = seen.get(label) ?? 0
    seen.set(label, place + 1)
    return place
  })
}
