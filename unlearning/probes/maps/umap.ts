import { UMAP } from 'umap-js'
import type { Point } from '../../../experiment/records/feature-maps.ts'
import type { RandomStream } from '../../../learning/random.ts'
import type { Neighbours } from './neighbours.ts'

/** The passes over the edges of the graph: the default of the library for up to 2500 samples. */
export const EPOCHS = 500

/** The largest coordinate of the start, as in the authors' implementation. */
const EXTENT = 10

export interface Layout {
  /** [n, d]. */
  readonly features: readonly (readonly number[])[]
  /** The nearest samples by the features. Their number is UMAP's n_neighbors. */
  readonly near: Neighbours
  readonly minDistance: number
  /** The places from which the samples start. */
  readonly start: readonly Point[]
  readonly random: RandomStream
  /** Awaited after each epoch. */
  readonly onEpoch?: (() => Promise<void>) | undefined
}

/**
 * Places the samples such that those with near features are near (UMAP, McInnes et al. 2018), with
 * the defaults of the authors and three differences that make the result repeatable and comparable:
 * neighbours are the exact ones, samples start from given places instead of a spectral layout or
 * random places, and random numbers come from a stream.
 */
export async function umapLayout({
  features,
  near,
  minDistance,
  start,
  random,
  onEpoch,
}: Layout): Promise<readonly Point[]> {
  const neighbours = near.indices[0]?.length ?? 0
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: neighbours,
    nEpochs: EPOCHS,
    minDist: minDistance,
    random: () => random.uniform(),
  })
  umap.setPrecomputedKNN(near.indices.map(copy), near.distances.map(copy))
  const epochs = umap.initializeFit(features.map(copy))
  // The library hands out the coordinates that it moves.
  umap.getEmbedding().forEach((place, i) => {
    ;[place[0], place[1]] = start[i] ?? [0, 0]
  })
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step()
    await onEpoch?.()
  }
  return umap.getEmbedding().map(([x = 0, y = 0]): Point => [x, y])
}

/** The points of a map of PCA, scaled such that UMAP can start from them. */
export function startFrom(points: readonly Point[]): readonly Point[] {
  const furthest = Math.max(...points.flat().map(Math.abs))
  const scale = furthest > 0 ? EXTENT / furthest : 1
  return points.map(([x, y]): Point => [x * scale, y * scale])
}

const copy = (values: readonly number[]) => [...values]
