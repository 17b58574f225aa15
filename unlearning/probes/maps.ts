import type { Tensor2D } from '@tensorflow/tfjs'
import {
  mapSets,
  type CkaMatrix,
  type FeatureMaps,
  type MapSet,
  type Point,
} from '../../experiment/records/feature-maps.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import { NO_GOLD } from '../../experiment/records/no-gold.ts'
import { adaptableLayers, headOf, type Layer } from '../../experiment/models/layers.ts'
import type { MapsSpec } from '../../experiment/stages/maps.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import type { DeviceData } from '../../learning/data/device-data.ts'
import { penultimateFeatures } from '../../learning/model/features.ts'
import type { Weights } from '../../learning/model/parameters.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import type { Host } from '../../learning/training/host.ts'
import { ckaRow, prepared, type Prepared } from './cka-matrix.ts'
import { pooledFeatures } from './features.ts'
import { aligned, standardised } from './maps/align.ts'
import { nearestNeighbours, sharedNeighbours, type Neighbours } from './maps/neighbours.ts'
import { principalComponents } from './maps/pca.ts'
import { EPOCHS, startFrom, umapLayout } from './maps/umap.ts'
import { areFinite } from './moments.ts'

/** Fewer samples have no map. */
const FEWEST = 5

export interface Mapping {
  readonly layers: readonly Layer[]
  readonly options: MapsSpec
  readonly weights: Weights
  /** The weights of gold: `weights` itself if the model is gold, absent if there is no gold. */
  readonly gold?: Weights | undefined
  readonly data: DeviceData
  /** Test samples of forgotten classes are among those of `test`. */
  readonly sets: Readonly<Record<MapSet, Int32Array>>
  readonly seed: number
  readonly host?: Host | undefined
}

/** The maps of a model before they are rounded. */
interface DrawnMaps {
  readonly umap: readonly Point[]
  readonly pca: readonly Point[]
  readonly kept: Measured
  readonly explained: Measured
}
type Drawn = DrawnMaps | { readonly missing: string }

/** The results of an earlier attempt, in the notes of its snapshot. */
interface Done {
  readonly gold?: Drawn
  readonly own?: Drawn
  readonly cka: readonly (readonly Measured[])[]
}

/**
 * Draws chosen samples of D_f, D_r and D_t by the features of one layer, with UMAP and with PCA,
 * and compares every layer with every layer of gold by linear CKA.
 *
 * The features of networks that were trained separately have no axes in common, so a map that is
 * fitted to gold's features cannot take in those of another model. Each model has a map of its own
 * features, and places are comparable as far as that allows: the samples are the same, UMAP starts
 * from the places of gold's map, and the finished map is rotated, reflected and shifted onto gold's
 * by the samples of D_r, which unlearning should leave where they are. Gold's own map starts from
 * its principal components. Both maps of PCA are scaled to a mean squared distance of 1 on D_r.
 */
export async function featureMaps({
  layers,
  options,
  weights,
  gold,
  data,
  sets,
  seed,
  host,
}: Mapping): Promise<{ readonly maps: FeatureMaps; readonly metrics: StageMetrics['maps'] }> {
  const random = stream(seed, 'maps', 'samples')
  const chosen = mapSets.map((set) => sample(sets[set], options.samples, random))
  const indices = Int32Array.from(chosen.flatMap((own) => [...own]))
  const samples = mapSets.flatMap((set, i) =>
    Array.from(chosen[i] ?? [], (index) => ({ set, index, label: data.labels[index] ?? -1 })),
  )
  const retained = samples.flatMap(({ set }, i) => (set === 'retained' ? [i] : []))
  const names = adaptableLayers(layers).map(({ name }) => name)
  const isGold = gold === undefined || gold === weights
  const steps = (isGold ? 1 : 2) * EPOCHS + (gold ? names.length : 0)
  let done: Done = { cka: [], ...(host?.snapshot?.notes as Partial<Done> | undefined) }
  let step = host?.snapshot?.step ?? 0
  const finish = async (part: Partial<Done>) => {
    done = { ...done, ...part }
    await host?.step({ step, steps }, () => Promise.resolve({ step, vectors: {}, notes: { ...done } }))
  }
  const draw = (features: readonly (readonly number[])[], onto?: DrawnMaps) =>
    drawMaps(features, {
      ...{ options, retained, onto },
      random: () => stream(seed, 'maps', 'umap'),
      pause: async () => {
        await host?.step({ step, steps })
      },
      onEpoch: async () => {
        step += 1
        await host?.step({ step, steps })
      },
    })

  tf.engine().startScope()
  try {
    const own = parametersOf(layers, weights)
    const golds = gold && gold !== weights ? parametersOf(layers, gold) : own
    const drawnFeatures = async (of: typeof own) => {
      const features =
        options.layer === undefined
          ? await penultimateFeatures(layers, of, data, indices, host)
          : (await pooledFeatures(layers, of, data, indices, { names: [options.layer], host }))[options.layer]
      if (!features || !(await areFinite(features))) return undefined
      return features.array()
    }
    const drawOf = async (of: typeof own, onto?: Drawn): Promise<Drawn> => {
      if (samples.length < FEWEST) return { missing: `there are fewer than ${FEWEST} samples` }
      const features = await drawnFeatures(of)
      if (!features) return { missing: 'the features are not finite' }
      return draw(features, onto && 'umap' in onto ? onto : undefined)
    }
    if (!done.gold) await finish({ gold: await drawOf(golds) })
    if (!done.own)
      await finish({ own: isGold ? (done.gold ?? (await drawOf(own))) : await drawOf(own, done.gold) })

    if (gold && done.cka.length < names.length) {
      const featuresOf = (of: typeof own) => pooledFeatures(layers, of, data, indices, { names, host })
      const goldFeatures = await preparedAll(await featuresOf(golds), names)
      const ownFeatures = golds === own ? goldFeatures : await preparedAll(await featuresOf(own), names)
      while (done.cka.length < names.length) {
        const features = ownFeatures[done.cka.length]
        if (!features) break
        const row = await ckaRow(features, goldFeatures)
        step += 1
        await finish({ cka: [...done.cka, row] })
      }
    }
  } finally {
    tf.engine().endScope()
  }

  const drawn = done.own ?? { missing: 'the map was not drawn' }
  const layer = options.layer ?? `input of ${headOf(layers).name}`
  const sizes = adaptableLayers(layers).map(({ name, out }) => ({ name, features: out }))
  return {
    maps: {
      layer,
      samples,
      points: 'missing' in drawn ? drawn : { umap: drawn.umap.map(rounded), pca: drawn.pca.map(rounded) },
      ...(gold && { cka: matrixOf(names, done.cka) }),
    },
    metrics: {
      layer,
      drawn: {
        forget: chosen[0]?.length ?? 0,
        retained: chosen[1]?.length ?? 0,
        test: chosen[2]?.length ?? 0,
      },
      kept: 'missing' in drawn ? drawn : drawn.kept,
      explained: 'missing' in drawn ? drawn : drawn.explained,
      layers: sizes.map((size, i) => ({
        ...size,
        cka: gold ? (done.cka[i]?.[i] ?? { missing: 'the layer was not compared' }) : { missing: NO_GOLD },
      })),
    },
  }
}

interface Drawing {
  readonly options: MapsSpec
  /** Places of the samples of D_r among all. */
  readonly retained: readonly number[]
  /** The maps of gold. Absent for gold itself, and without gold. */
  readonly onto?: DrawnMaps | undefined
  readonly random: () => ReturnType<typeof stream>
  readonly pause: () => Promise<void>
  readonly onEpoch: () => Promise<void>
}

async function drawMaps(
  features: readonly (readonly number[])[],
  { options, retained, onto, random, pause, onEpoch }: Drawing,
): Promise<DrawnMaps> {
  const count = Math.min(options.neighbours, features.length - 1)
  const near = await nearestNeighbours(features, count, pause)
  const components = await principalComponents(features, pause)
  const pca = standardised(components.points, retained)
  const laidOut = await umapLayout({
    ...{ features, near, random: random(), onEpoch },
    minDistance: options.minDistance,
    start: onto?.umap ?? startFrom(components.points),
  })
  return {
    umap: onto ? aligned(laidOut, onto.umap, retained) : laidOut,
    pca: onto ? aligned(pca, onto.pca, retained) : pca,
    kept: await keptNeighbours(near, laidOut, pause),
    explained: components.explained,
  }
}

async function keptNeighbours(
  near: Neighbours,
  points: readonly Point[],
  pause: () => Promise<void>,
): Promise<Measured> {
  const inMap = await nearestNeighbours(points, near.indices[0]?.length ?? 0, pause)
  return { value: sharedNeighbours(near, inMap) }
}

/** The features of all layers, prepared for CKA. Disposes of the features themselves. */
async function preparedAll(
  features: Readonly<Record<string, Tensor2D>>,
  names: readonly string[],
): Promise<readonly Prepared[]> {
  const all: Prepared[] = []
  for (const name of names) {
    const own = features[name]
    if (own) all.push(await prepared(own))
  }
  tf.dispose(Object.values(features))
  return all
}

function matrixOf(names: readonly string[], rows: readonly (readonly Measured[])[]): CkaMatrix {
  const values = rows.map((row) => row.map((one) => ('value' in one ? roundedTo(one.value) : null)))
  return { layers: names, goldLayers: names, values }
}

function rounded([x, y]: Point): Point {
  return [roundedTo(x), roundedTo(y)]
}

/** Four decimals. */
function roundedTo(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
