import {
  adaptableLayers,
  flattenLayers,
  matchesAny,
  type Layer,
  topLevelIndex,
} from '../../../experiment/models/layers.ts'
import type { MethodSpecOf } from '../../../experiment/spec/methods.ts'
import { labelsAt, type DeviceData } from '../../../learning/data/device-data.ts'
import { lora, type Lora } from '../../../learning/model/lora.ts'
import { sample, stream } from '../../../learning/random.ts'
import type { Host } from '../../../learning/training/host.ts'
import type { UnlearnContext } from '../../method.ts'

/** The sets of samples that the method reads. */
export type SetName = 'retained' | 'forget' | 'validation'

/** One run of residual feature alignment: its samples, its adapter and its layers. */
export interface RfaProblem {
  readonly method: MethodSpecOf<'rfa'>
  readonly layers: readonly Layer[]
  readonly data: DeviceData
  /** Sample indices: those drawn from D_r, all of D_f and all validation samples. */
  readonly samples: Readonly<Record<SetName, Int32Array>>
  /** The labels of `samples`, in the same order. */
  readonly labels: Readonly<Record<SetName, Int32Array>>
  readonly adapter: Lora
  /** Names of the layers whose features are aligned. */
  readonly aligned: readonly string[]
  /** The name of the last layer, whose features are the logits. */
  readonly logits: string
  /**
   * Layers whose features are computed: the aligned ones and, for the closed form, the adapted
   * ones.
   */
  readonly capture: ReadonlySet<string>
  /**
   * The top-level layer with the first adapted layer. The adapter does not affect earlier layers.
   */
  readonly from: number
  /** The index after the last top-level layer that contains a layer of `capture`. */
  readonly to: number
  /** The target, if a plug-in defines it. */
  readonly target: UnlearnContext['target']
  readonly seed: number
  readonly host: Host | undefined
}

/** Chooses the layers that the options name and draws the retained samples. */
export function rfaProblem(
  method: MethodSpecOf<'rfa'>,
  { layers, data, retained, forget, validation, seed, target, host }: UnlearnContext,
): RfaProblem {
  const wrapped = adaptableLayers(layers).filter(matchesAny(method.layers))
  const alignedLayers = method.align ? flattenLayers(layers).filter(matchesAny(method.align)) : wrapped
  const adapted = wrapped.map(({ name }) => name)
  const aligned = alignedLayers.map(({ name }) => name)
  const capture = new Set([...aligned, ...(method.start === 'closed-form' ? adapted : [])])
  const drawn = sample(retained, method.retainedSamples, stream(seed, 'rfa', 'retained'))
  return {
    method,
    layers,
    data,
    samples: { retained: drawn, forget, validation },
    labels: {
      retained: labelsAt(data.labels, drawn),
      forget: labelsAt(data.labels, forget),
      validation: labelsAt(data.labels, validation),
    },
    adapter: lora(wrapped, method),
    aligned,
    logits: layers.at(-1)?.name ?? '',
    capture,
    from: Math.min(...adapted.map((name) => topLevelIndex(layers, name))),
    to: 1 + Math.max(...[...capture].map((name) => topLevelIndex(layers, name))),
    target,
    seed,
    host,
  }
}
