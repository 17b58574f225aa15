import type { RowSpec } from './methods.ts'

/** What a method may read besides the model that was trained on everything. */
export type ReadSet = 'retained' | 'forget'

interface MethodFacts {
  /** The publication that defines the method, or the reason why none is named. */
  readonly paper: string
  /** The sets of training samples that the method reads. Options may narrow them. */
  readonly reads: readonly ReadSet[]
  /** A condition of the sets, if there is one. */
  readonly note?: string
}

const both = ['retained', 'forget'] as const

/** The source of every method and the samples that it reads. */
export const methodFacts: Readonly<Record<RowSpec['method'], MethodFacts>> = {
  original: { paper: 'the model before unlearning; no publication', reads: [] },
  retrain: { paper: 'exact unlearning by definition; no publication', reads: ['retained'] },
  replay: {
    paper: 'after Unlearning at Scale, arXiv 2508.12220',
    reads: ['retained'],
    note: 'it needs `training.replay`',
  },
  sisa: {
    paper: 'Bourtoule et al. 2021 (machine unlearning, SISA)',
    reads: ['retained'],
    note: 'it does not change the original',
  },
  finetune: { paper: 'Golatkar et al. 2020; the usual first baseline', reads: ['retained'] },
  'random-label': { paper: 'Golatkar et al. 2020', reads: both },
  'gradient-ascent': { paper: 'Graves et al. 2021; Thudi et al. 2022', reads: ['forget'] },
  'neggrad-plus': { paper: 'Kurmanji et al. 2023', reads: both },
  'l1-sparse': { paper: 'Jia et al. 2023', reads: ['retained'] },
  'bad-teacher': {
    paper: 'Chundawat et al. 2023 (bad teaching)',
    reads: both,
    note: 'it reads the share `retainedFraction` of the retained set, and no labels',
  },
  scrub: { paper: 'Kurmanji et al. 2023', reads: both },
  'boundary-shrink': { paper: 'Chen et al. 2023', reads: ['forget'] },
  'boundary-expand': { paper: 'Chen et al. 2023', reads: ['forget'] },
  unsir: {
    paper: 'Tarun et al. 2023',
    reads: ['retained'],
    note: 'it reads `retainedPerClass` samples of each class, and forgets whole classes only',
  },
  salun: { paper: 'Fan et al. 2024 (SalUn)', reads: both },
  delete: { paper: 'Zhou et al. 2025, arXiv 2503.23751', reads: ['forget'] },
  ct: { paper: 'Cadet et al. 2024, arXiv 2410.01276', reads: ['retained'] },
  msg: { paper: 'Cadet et al. 2024, arXiv 2410.01276', reads: both },
  'sfr-on': { paper: 'Huang et al. 2024, arXiv 2409.19732', reads: both },
  amun: {
    paper: 'Ebrahimpour-Boroojeny et al. 2025, arXiv 2503.00917',
    reads: both,
    note: 'with `base: forget` it does not read the retained set',
  },
  'cf-k': { paper: 'Goel et al. 2022, arXiv 2201.06640', reads: ['retained'] },
  'eu-k': { paper: 'Goel et al. 2022, arXiv 2201.06640', reads: ['retained'] },
  ssd: {
    paper: 'Foster et al. 2024; for `alpha: adaptive` Schoepf et al. 2024, arXiv 2402.10098',
    reads: both,
  },
  damp: { paper: 'Hatami et al. 2026, arXiv 2604.15166', reads: both },
  fisher: { paper: 'Golatkar et al. 2020', reads: ['retained'] },
  influence: { paper: 'Jia et al. 2023, after Koh and Liang 2017', reads: both },
  'lora-random-label': { paper: 'random labels (Golatkar et al. 2020) through an adapter', reads: both },
  'lora-neggrad-plus': { paper: 'NegGrad+ (Kurmanji et al. 2023) through an adapter', reads: both },
  rfa: {
    paper: 'residual feature alignment, arXiv 2411.08443',
    reads: both,
    note: 'with `target: leave-out-top` it does not read the forget set',
  },
  weights: { paper: 'a model from elsewhere; no publication', reads: [] },
  external: { paper: 'a program of yours; no publication', reads: both },
  plugin: { paper: 'a module of yours; no publication', reads: both },
}

const exactMethods = ['retrain', 'replay', 'sisa']

/** Whether the model of a method depends on no forgotten sample by construction. */
export function isExact(method: string): boolean {
  return exactMethods.includes(method)
}

/** A sentence about the samples that a method reads. */
export function readsOf(method: RowSpec['method']): string {
  const { reads, note } = methodFacts[method]
  const model = method === 'retrain' || method === 'weights' ? [] : ['the original model']
  const sets = reads.map((set) => (set === 'retained' ? 'the retained set' : 'the forget set'))
  if (model.length + sets.length === 0) return 'files alone'
  return `${listed([...model, ...sets])}${note === undefined ? '' : `; ${note}`}`
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`
}
