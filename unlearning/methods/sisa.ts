import type { CurvePoint } from '../../experiment/records/measured.ts'
import { sliceEpochs } from '../../experiment/plan/sisa-cost.ts'
import { trainingSteps } from '../../experiment/plan/training-steps.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../learning/model/parameters.ts'
import { whitened } from '../../learning/model/whitening.ts'
import { permutation, stream } from '../../learning/random.ts'
import { fit } from '../../learning/training/fit.ts'
import type { Host } from '../../learning/training/host.ts'
import type { Method, UnlearnContext } from '../method.ts'

/**
 * SISA: sharded, isolated, sliced and aggregated training (Bourtoule et al. 2021). The training
 * samples are divided at random into S shards of R slices. Model s is trained on the first slice of
 * its shard, then on the first two, and so on. The probabilities of all models are averaged:
 *
 *     p(x) = (1/S) Σ_s softmax(z_s(x)),    z_s trained on D_s,1 ∪ … ∪ D_s,r for r = 1, …, R
 *
 * A deletion repeats the trainings that read a sample of D_f, without these samples. It is exact:
 * the result has the same bytes as training everything without them. The places of samples in
 * shards and slices do not depend on D_f. For equal costs at any R, each training takes 2E/(R + 1)
 * epochs (their section on slicing).
 *
 * The paper describes a vote of the models first, which hides the confidence of a prediction. The
 * mean is its alternative for many classes.
 */
export const unlearn: Method<'sisa'> = async (method, context) => {
  const { training, layers, seed, host, untimed = (work) => work() } = context
  const parts = partsOf(method, context)
  const epochs = sliceEpochs(training.epochs, method.slices)
  const stepsOf = ({ indices: { length } }: Part) =>
    length === 0 ? 0 : trainingSteps({ ...training, epochs }, length).steps
  const sumOf = (some: readonly Part[], of: (part: Part) => number) =>
    some.reduce((sum, part) => sum + of(part), 0)
  const all = sumOf(parts, stepsOf)
  const models = new Map<number, Weights>(restored(host, method.shards))
  const curve: CurvePoint[] = [...((host?.snapshot?.notes.curve ?? []) as CurvePoint[])]
  let done = 0

  /** Trains the parts that come next, in their order, from where an earlier attempt was stopped. */
  const train = async (isRepeated: boolean) => {
    for (const [i, part] of parts.entries()) {
      if (part.isRepeated !== isRepeated) continue
      const before = done
      done += stepsOf(part)
      const at = (host?.snapshot?.notes.part ?? 0) as number
      if (part.indices.length === 0 || i < at) continue
      const purpose = `sisa, shard ${part.shard + 1}, slice ${part.slice + 1}`
      const inner = { ...training, layers, data: context.data, indices: part.indices, epochs, seed, purpose }
      const initial = models.get(part.shard) ?? (await newModel(context, part, purpose))
      const fitted = await fit({
        ...inner,
        training,
        initial,
        host: host && hostOfPart(host, { part: i, isResumed: i === at, before, all, models, curve }),
      })
      models.set(part.shard, fitted.weights)
      curve.push(...fitted.curve.map((point) => ({ ...point, step: before + point.step })))
    }
  }
  await untimed(() => train(false))
  await train(true)

  const repeated = parts.filter((part) => part.isRepeated)
  const samplesOf = (part: Part) => stepsOf(part) * Math.min(training.batchSize, part.indices.length)
  const first = all - sumOf(repeated, stepsOf)
  return {
    models: [...models.entries()].sort(([a], [b]) => a - b).map(([, weights]) => weights),
    metrics: {
      trainable: [...models.values()].reduce((sum, { trained }) => sum + trained.length, 0),
      steps: all - first,
      samplesUsed: { retained: new Set(repeated.flatMap(({ indices }) => [...indices])).size, forget: 0 },
      curve: curve
        .filter(({ step }) => step > first)
        .map((point) => ({ ...point, step: point.step - first })),
      sisa: {
        shards: new Set(repeated.map(({ shard }) => shard)).size,
        trainings: repeated.length,
        samples: sumOf(repeated, samplesOf),
        of: sumOf(parts, samplesOf),
      },
    },
  }
}

/** The training of a shard's model on its first slices. */
interface Part {
  readonly shard: number
  readonly slice: number
  /** The samples of the shard's slices up to this one, without D_f, ascending. */
  readonly indices: Int32Array
  /** Whether the training read a sample of D_f before the deletion. */
  readonly isRepeated: boolean
}

/** All trainings: first those that a deletion leaves, then those that it repeats. */
function partsOf(
  { shards, slices }: { readonly shards: number; readonly slices: number },
  { retained, forget, seed }: UnlearnContext,
): readonly Part[] {
  const trained = Int32Array.from([...retained, ...forget]).sort()
  const order = permutation(trained.length, stream(seed, 'sisa', 'shards')).map((i) => trained[i] ?? 0)
  const forgotten = new Set(forget)
  const at = (place: number) => Math.floor((place * trained.length) / (shards * slices))
  const parts = Array.from({ length: shards * slices }, (_, i): Part => {
    const shard = Math.floor(i / slices)
    const read = order.subarray(at(shard * slices), at(i + 1))
    return {
      shard,
      slice: i % slices,
      indices: read.filter((index) => !forgotten.has(index)).sort(),
      isRepeated: read.some((index) => forgotten.has(index)),
    }
  })
  return [...parts.filter(({ isRepeated }) => !isRepeated), ...parts.filter(({ isRepeated }) => isRepeated)]
}

function newModel(
  { layers, data, seed, host }: UnlearnContext,
  part: Part,
  purpose: string,
): Promise<Weights> {
  const fresh = initialWeights(parameterSpecs(layers), stream(seed, purpose, 'weights'))
  return whitened(layers, fresh, data, part.indices, { random: stream(seed, purpose, 'whitening'), host })
}

/** The state of all trainings, of which one is in progress. */
interface Progress {
  /** The number of the training in progress. */
  readonly part: number
  /** Whether the snapshot of an earlier attempt is from this training. */
  readonly isResumed: boolean
  /** The steps of the trainings before, and of all. */
  readonly before: number
  readonly all: number
  readonly models: ReadonlyMap<number, Weights>
  readonly curve: readonly CurvePoint[]
}

/** The host of one training. Its snapshots contain the models of the trainings before. */
function hostOfPart(host: Host, { part, isResumed, before, all, models, curve }: Progress): Host {
  const { snapshot } = host
  const inPart = Object.entries(snapshot?.vectors ?? {}).flatMap(([name, vector]) =>
    name.startsWith('part.') ? [[name.slice('part.'.length), vector] as const] : [],
  )
  return {
    ...host,
    snapshot:
      snapshot && isResumed && inPart.length > 0
        ? {
            step: snapshot.step - before,
            vectors: Object.fromEntries(inPart),
            notes: snapshot.notes.inPart as Record<string, unknown>,
          }
        : undefined,
    step: ({ step = 0, ...progress }, take) =>
      host.step(
        { ...progress, step: before + step, steps: all },
        take &&
          (async () => {
            const { vectors, notes } = await take()
            return {
              step: before + step,
              vectors: {
                ...Object.fromEntries(
                  Object.entries(vectors).map(([name, vector]) => [`part.${name}`, vector]),
                ),
                ...Object.fromEntries(
                  [...models].flatMap(([shard, { trained, statistics }]) => [
                    [`${shard}.trained`, trained],
                    [`${shard}.statistics`, statistics],
                  ]),
                ),
              },
              notes: { part, inPart: notes, curve },
            }
          }),
      ),
  }
}

/** The models of the trainings that an earlier attempt had finished, by shard. */
function* restored(host: Host | undefined, shards: number): Generator<[number, Weights]> {
  const { vectors = {} } = host?.snapshot ?? {}
  for (let shard = 0; shard < shards; shard++) {
    const { [`${shard}.trained`]: trained, [`${shard}.statistics`]: statistics } = vectors
    if (trained && statistics) yield [shard, { trained, statistics }]
  }
}
