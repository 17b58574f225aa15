/** The blob of a `maps` stage: where a layer's features place the chosen samples on two axes. */

/** The sets whose samples are drawn, in the order of the samples of a map. */
export const mapSets = ['forget', 'retained', 'test'] as const
export type MapSet = (typeof mapSets)[number]

export type Point = readonly [x: number, y: number]

export interface FeatureMaps {
  /** The layer in words: `conv2`, or `input of head`. */
  readonly layer: string
  /** The chosen samples. The same for all models and seeds of a run. */
  readonly samples: readonly MappedSample[]
  /** One point for each sample, or the reason why there is none. */
  readonly points:
    { readonly umap: readonly Point[]; readonly pca: readonly Point[] } | { readonly missing: string }
  /** Absent in an experiment without gold. */
  readonly cka?: CkaMatrix
}

export interface MappedSample {
  readonly set: MapSet
  /** Its index in the data set, training files first. */
  readonly index: number
  /** The number of its class. */
  readonly label: number
}

/** Linear CKA of each layer of a model (rows) with each layer of gold (columns). */
export interface CkaMatrix {
  /** Names in forward order. */
  readonly layers: readonly string[]
  readonly goldLayers: readonly string[]
  /** In [0, 1]. Null if the features of one of the layers are constant or not finite. */
  readonly values: readonly (readonly (number | null)[])[]
}

/** The start of the name of a map of the inputs of a layer. Other names are those of layers. */
const INPUT = 'input of '

/** The layer of a map in words. */
export function layerWords(layer: string): string {
  return layer.startsWith(INPUT)
    ? `inputs of the layer ${layer.slice(INPUT.length)}`
    : `outputs of the layer ${layer}`
}
