import { permutation, sample, type RandomStream } from '../../learning/random.ts'

/** Indices of the samples by which features are judged. */
export interface ProbeSamples {
  /** A sample of D_f, and one of D_r of the same size where there are that many. */
  readonly forget: Int32Array
  readonly retained: Int32Array
  /** Half of that sample of D_f, class by class, and retained samples of every class: they train the probes. */
  readonly train: Int32Array
  /** The other half. */
  readonly test: Int32Array
}

/** `count`: samples of D_f at most; of each class of D_r, half as many train the probes. */
export function probeSamples(
  { retained, forget }: { readonly retained: Int32Array; readonly forget: Int32Array },
  labels: Int32Array,
  count: number,
  random: RandomStream,
): ProbeSamples {
  const drawn = sample(forget, count, random)
  // The first of a class trains: a class without a partner in the other half is at least not unknown.
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

/** For each sample, how many of its class come before it. */
function placesInClass(indices: Int32Array, labels: Int32Array): Int32Array {
  const seen = new Map<number, number>()
  return indices.map((index) => {
    const label = labels[index] ?? -1
    const place = seen.get(label) ?? 0
    seen.set(label, place + 1)
    return place
  })
}
