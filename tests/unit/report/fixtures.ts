import { scoreNames, type ScoreName } from '../../../experiment/records/scores.ts'
import { digestOf } from '../../../common/canonical.ts'
import type { DatasetFacts } from '../../../experiment/spec/dataset.ts'
import type { Clock, Manifest, ManifestOf } from '../../../experiment/records/manifest.ts'
import type { Measured } from '../../../experiment/records/measured.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Candidate, Plan } from '../../../experiment/plan/types.ts'
import { tooFewFor, type PopulationFigure } from '../../../experiment/plan/population.ts'
import { runId } from '../../../experiment/records/run.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import type { SplitSpec } from '../../../experiment/spec/split.ts'
import { requestedKinds } from '../../../experiment/stages/requested.ts'
import { rowsOf, seedsOf, stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage, StageKind, StageMetrics } from '../../../experiment/stages/stage.ts'
import type { ReportInput } from '../../../report/report.ts'

/** A run of made-up figures, one manifest for every stage of a real plan. */

export const facts: DatasetFacts = {
  name: 'digits',
  shape: [8, 8, 1],
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  train: [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
  test: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  sources: [{ name: 'digits.csv.gz', sha256: 'ab'.repeat(32), bytes: 57523 }],
  citation: 'Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits.',
}

/** Accuracies in percent, MIA-efficacy in percent, seconds of the stage that makes the model. */
export interface Model {
  readonly ra: number
  readonly fa: number
  readonly ta: number
  readonly mia: number
  readonly seconds: number
}

const models: Readonly<Record<string, Model>> = {
  original: { ra: 100, fa: 100, ta: 96.25, mia: 0.81, seconds: 22 },
  retrain: { ra: 100, fa: 0, ta: 97.08, mia: 100, seconds: 20 },
  'retrain, seed 2': { ra: 99.91, fa: 0, ta: 96.25, mia: 98.39, seconds: 19 },
  finetune: { ra: 99.21, fa: 64.52, ta: 95.83, mia: 46.77, seconds: 1.5 },
  rfa: { ra: 99.82, fa: 0, ta: 96.25, mia: 100, seconds: 4 },
  'rfa mean': { ra: 98.41, fa: 2.42, ta: 94.58, mia: 100, seconds: 3.8 },
}

export interface Options {
  readonly split?: SplitSpec
  readonly models?: Readonly<Record<string, Partial<Model>>>
  readonly gold?: number
  /** Shadow models. */
  readonly shadows?: number
  /** Relearning and probes of two layers. */
  readonly features?: boolean
  /** More sections of the config, each of which requests stages: `{ agreement: {} }`. */
  readonly sections?: Readonly<Record<string, object>>
  /** The figures of stages that these sections request. */
  readonly figures?: Figures
  /** The differences from `models` in each seed. It has one entry for each seed. */
  readonly seeds?: readonly Readonly<Record<string, Partial<Model>>>[]
  /** Without `retrain` and `original` in the list. */
  readonly methodsOnly?: boolean
  /** Instead of all that are in the list. */
  readonly methods?: readonly Readonly<Record<string, unknown>>[]
}

/** Functions that make up the figures of stages from those of their model and of gold. */
export type Figures = { readonly [K in StageKind]?: (model: Model, gold: Model) => StageMetrics[K] }

export function sampleInput(options: Options = {}): ReportInput {
  const spec = specSchema.parse({
    name: 'digits-class',
    data: { name: 'digits' },
    split: options.split ?? { kind: 'class', classes: [3] },
    model: { name: 'cnn' },
    training: { epochs: 5, batchSize: 64 },
    gold: { models: options.gold ?? 2 },
    ...(options.shadows !== undefined && { shadow: { models: options.shadows } }),
    ...(options.features && { relearn: {}, probe: { layers: ['conv2', 'head'] } }),
    ...options.sections,
    ...(options.seeds && { seeds: options.seeds.length }),
    methods: options.methods ?? [
      ...(options.methodsOnly ? [] : [{ method: 'original' }, { method: 'retrain' }]),
      { method: 'finetune', epochs: 1 },
      { method: 'rfa', steps: 20 },
      { method: 'rfa', label: 'rfa mean', target: 'retained-mean', steps: 20 },
    ],
  })
  const stages = plan(spec, facts)
  const known = (options.seeds ?? [{}]).map((seed) =>
    Object.fromEntries(
      Object.entries(models).map(([label, model]) => [
        label,
        { ...model, ...options.models?.[label], ...seed[label] },
      ]),
    ),
  )
  return {
    run: {
      id: runId(spec.name, stages),
      spec,
      facts,
      plan: stages,
      command: { config: 'configs/experiments/digits-class.yaml', overrides: ['training.epochs=5'] },
    },
    manifests: manifestsFor(stages, known, options.figures ?? {}),
    failed: [],
  }
}

/** The same input without what a failed stage and those that need it would have left. */
export function withoutStages(
  input: ReportInput,
  stages: readonly (Stage | undefined)[],
  failed: ReportInput['failed'],
): ReportInput {
  const gone = new Set(stages.flatMap((stage) => stage?.key ?? []))
  return {
    ...input,
    manifests: Object.fromEntries(Object.entries(input.manifests).filter(([key]) => !gone.has(key))),
    failed,
  }
}

/** The same input with one stage's manifest changed. */
export function withManifest<K extends StageKind>(
  input: ReportInput,
  { key }: { readonly kind: K; readonly key: string },
  change: (manifest: ManifestOf<K>) => ManifestOf<K>,
): ReportInput {
  const changed = change(input.manifests[key] as ManifestOf<K>) as Manifest
  return { ...input, manifests: { ...input.manifests, [key]: changed } }
}

export function candidate({ run }: ReportInput, label: string): Candidate {
  const found = [...run.plan.candidates, ...run.plan.floor].find((one) => one.label === label)
  if (!found) throw new Error(`no candidate is called ${label}`)
  return found
}

/** Deep copy with the keys of every object in the opposite order. */
export function reversedKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversedKeys) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([key, item]) => [key, reversedKeys(item as unknown)])) as T
}

type Models = Readonly<Record<string, Model>>

function manifestsFor(stages: Plan, known: readonly Models[], figures: Figures): Record<string, Manifest> {
  const all = seedsOf(stages).flatMap((seed, i) => {
    const { reference, original, gold, candidates, floor } = seed
    const judged = [...(reference ? [{ label: 'retrain', ...reference }] : []), ...rowsOf(seed)]
    const made = ['original', 'retrain', ...floor.map(({ label }) => label)]
    return [
      ...[original, ...gold].map((stage, n) => ({ stage, label: made[n], i })),
      ...candidates.flatMap(({ label, unlearn }) => (unlearn ? [{ stage: unlearn, label, i }] : [])),
      ...judged.flatMap(({ label, evaluate, attack, membership, ...others }) => [
        ...requestedKinds.flatMap((kind) => {
          const stage = others[kind]
          return stage ? [{ stage, label, i }] : []
        }),
        { stage: evaluate, label, i },
        { stage: attack, label, i },
        ...(membership ? [{ stage: membership, label, i }] : []),
      ]),
      ...rowsOf(seed).map(({ label, compare }) => ({ stage: compare, label, i })),
    ]
  })
  const figuresOf = (label: string | undefined, i: number): Model => {
    const model = known[i]?.[label ?? ''] ?? known[i]?.['retrain, seed 2']
    if (!model) throw new Error(`no figures for ${label ?? 'a stage'}`)
    return model
  }

  return Object.fromEntries(
    stagesOf(stages).map((stage) => {
      const { label, i } = all.find((one) => one.stage.key === stage.key) ?? { label: 'retrain', i: 0 }
      const model = figuresOf(label, i)
      return [
        stage.key,
        manifest(stage, metricsOf(stage, model, figuresOf('retrain', i), figures), {
          seconds: needsModel(stage) && 'seed' in stage.params ? model.seconds : 0.25,
          finishedAt: '2025-11-24T11:00:00.000Z',
          environment: {
            zeroshift: '0.1.0',
            node: 'v20.18.1',
            platform: 'linux-x64',
            ...(['train', 'unlearn', 'evaluate'].includes(stage.kind)
              ? { tensorflow: { version: '2.21.0', device: 'CPU' as const, threads: 2 } }
              : {}),
          },
        }),
      ]
    }),
  )
}

const empty = { missing: 'the set is empty' }

function needsModel({ kind }: Stage): boolean {
  return kind !== 'dataset' && kind !== 'split'
}

function manifest(stage: Stage, metrics: StageMetrics[StageKind], clock: Clock): Manifest {
  const { kind, key, version, params, inputs } = stage
  const inputDigests = Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, digestOf(input)]),
  )
  const outputs = { result: { sha256: digestOf({ key }), bytes: 1024 } }
  return { kind, key, version, params, inputs, inputDigests, outputs, metrics, clock } as Manifest
}

function metricsOf(
  { kind, params, inputs }: Stage,
  model: Model,
  gold: Model,
  figures: Figures,
): StageMetrics[StageKind] {
  const own = figures[kind]
  if (own) return own(model, gold)
  switch (kind) {
    case 'dataset':
      return { train: 1258, validation: 0, test: 539 } satisfies StageMetrics['dataset']
    case 'split':
      return {
        retained: 1132,
        forget: 126,
        validation: 0,
        attackTest: 240,
        test: 240,
        forgottenTest: 59,
        forgottenClasses: [3],
      } satisfies StageMetrics['split']
    case 'checkpoint':
      return { parameters: 13_242 } satisfies StageMetrics['checkpoint']
    case 'train':
      return { parameters: 13_242, steps: 90, curve: curve(90, 2.3) } satisfies StageMetrics['train']
    case 'unlearn':
      return {
        trainable: 1_024,
        steps: 20,
        samplesUsed: { retained: 1132, forget: 126 },
        curve: curve(20, model.ra / 50),
        ...('method' in params && params.method.method === 'rfa' ? { residuals } : {}),
      } satisfies StageMetrics['unlearn']
    case 'evaluate':
      return {
        accuracy: {
          retained: value(model.ra),
          forget: value(model.fa),
          validation: { missing: 'the set is empty' },
          attackTest: value(model.ta),
          test: value(model.ta),
          forgottenTest: value(model.fa),
        },
        confidence: {
          retained: histogram(1132, model.ra),
          forget: histogram(126, model.fa),
          test: histogram(240, model.ta),
        },
      } satisfies StageMetrics['evaluate']
    case 'population':
      return populationOf(Object.keys(inputs).length / 2)
    case 'shadow':
      return {
        parameters: 13_242,
        steps: 90,
        curve: curve(90, 2.3),
        members: 898,
        samples: 1797,
      } satisfies StageMetrics['shadow']
    case 'pool':
      return { models: 8, samples: 1797 } satisfies StageMetrics['pool']
    case 'membership': {
      const figures = (auc: number) => ({
        auc: { value: auc, interval: [auc - 0.03125, auc + 0.03125] as const },
        tprAt1: { missing: 'a false-positive rate of 1% needs 1000 non-members, and there are 480' },
        tprAt01: { missing: 'a false-positive rate of 0.1% needs 10000 non-members, and there are 480' },
      })
      const attacks = (auc: number) => ({
        lira: figures(auc),
        liraOffline: figures(auc - 0.0625),
        rmia: figures(auc),
      })
      return {
        models: 8,
        variance: 'pooled',
        sets: {
          forget: { members: 126, nonMembers: 59, attacks: attacks(0.5 + model.fa / 400) },
          retained: { members: 480, nonMembers: 480, attacks: attacks(0.625) },
        },
      } satisfies StageMetrics['membership']
    }
    case 'relearn': {
      // The less it knows, the longer it takes.
      const steps = Math.round((100 - model.fa) / 10)
      return {
        steps: value(steps),
        wanted: 95,
        samples: 126,
        curve: [
          { step: 0, accuracy: model.fa },
          { step: steps, accuracy: 97 },
        ],
      } satisfies StageMetrics['relearn']
    }
    case 'probe': {
      const likeness = 1 - Math.abs(model.fa - gold.fa) / 200
      return {
        trained: 1100,
        tested: 63,
        compared: { forget: 126, retained: 126 },
        layers: ['conv2', 'head'].map((name) => ({
          name,
          features: name === 'head' ? 10 : 32,
          accuracy: value(50 + model.fa / 2),
          cka:
            name === 'head' && model.fa === 64.52
              ? { forget: { missing: 'the features are constant' }, retained: value(1) }
              : { forget: value(likeness), retained: value(1) },
        })),
      } satisfies StageMetrics['probe']
    }
    case 'ruli': {
      const figures = (auc: number) => ({
        auc: { value: auc, interval: [auc - 0.0625, auc + 0.0625] as const },
        balancedAccuracy: { value: auc - 0.0625, interval: [auc - 0.125, auc] as const },
        tprAt1: { missing: 'a false-positive rate of 1% needs 1000 non-members, and there are 15' },
        tprAt01: { missing: 'a false-positive rate of 0.1% needs 10000 non-members, and there are 15' },
      })
      const attacks = (auc: number) => ({ gaussian: figures(auc - 0.03125), kernel: figures(auc) })
      return {
        models: { selecting: 4, attacking: 4 },
        variance: { selecting: 'pooled', attacking: 'pooled' },
        samples: {
          vulnerable: { members: 32, nonMembers: 15, attacks: attacks(0.5 + model.fa / 256) },
          all: { members: 126, nonMembers: 59, attacks: attacks(0.5 + model.fa / 512) },
        },
      } satisfies StageMetrics['ruli']
    }
    case 'agreement': {
      const apart = Math.abs(model.fa - gold.fa) / 200
      const of = (samples: number, distance: number) => ({
        samples,
        rank: value(1 - distance),
        variance: value(1 + distance),
      })
      return {
        forget: of(126, apart),
        retained: of(1132, apart / 8),
        validation: { samples: 0, rank: empty, variance: empty },
        test: of(240, apart / 4),
      } satisfies StageMetrics['agreement']
    }
    case 'features': {
      const apart = Math.abs(model.fa - gold.fa) / 400
      return {
        compared: { forget: 126, retained: 126 },
        layers: ['conv2', 'head'].map((name) => ({
          name,
          features: name === 'head' ? 10 : 32,
          distance: { forget: value(name === 'head' ? apart : apart / 2), retained: value(apart / 4) },
        })),
      } satisfies StageMetrics['features']
    }
    case 'attack': {
      const scores = (percent: number) => {
        const all = scoreNames.map((name) => [name, value(name === 'entropy' ? percent / 2 : percent)])
        return Object.fromEntries(all) as Readonly<Record<ScoreName, Measured>>
      }
      return {
        efficacy: { svm: scores(model.mia), logistic: scores(model.mia) },
        accuracy: { svm: scores(72.5), logistic: scores(71.25) },
        members: 240,
        nonMembers: 240,
      } satisfies StageMetrics['attack']
    }
    case 'compare': {
      const differences = [model.fa - gold.fa, model.ra - gold.ra, model.ta - gold.ta]
      const gaps = [...differences, model.mia - gold.mia].map(Math.abs)
      const distance = Math.abs(model.fa - gold.fa) / 80
      return {
        ra: value(model.ra),
        ta: value(model.ta),
        ua: value(100 - model.fa),
        mia: value(model.mia),
        averageGap: value(gaps.reduce((sum, gap) => sum + gap, 0) / 4),
        tow: value(differences.reduce((product, d) => product * (1 - Math.abs(d) / 100), 1)),
        activationDistance: { forget: value(distance), retained: value(distance / 20) },
        jsDivergence: value(distance / 2),
        zrf: value(0.5 - distance / 8),
        validationGap: { missing: 'no samples are set apart for validation (data.validation)' },
      } satisfies StageMetrics['compare']
    }
    default:
      throw new Error(`no figures for stages of kind ${kind as string}; give them in the option figures`)
  }
}

/** The metrics of a population stage with this number of models of each kind. */
export function populationOf(models: number): StageMetrics['population'] {
  const enough = <T>(figure: PopulationFigure, known: T): T | { readonly missing: string } => {
    const missing = tooFewFor(figure, models)
    return missing === undefined ? known : { missing }
  }
  const klom = { mean: enough('klom', value(0.5)), percentile95: enough('klom', value(1.25)) }
  return {
    models,
    uLira: enough('uLira', { value: 62.5, interval: [48.25, 76.75] }),
    klom: { forget: klom, retained: klom, test: klom },
    forgettingQuality: {
      forgetting: enough('forgettingQuality', value(0.25)),
      score: enough('forgettingQuality', value(0.2)),
    },
  }
}

/** The input as if each population had so many models of each kind. */
export function withPopulations(input: ReportInput, models: number): ReportInput {
  const of: ReportInput = { ...input, run: { ...input.run, spec: { ...input.run.spec, seeds: models } } }
  return (input.run.plan.population ?? []).reduce(
    (changed, { stage }) =>
      withManifest(changed, stage, (manifest) => ({ ...manifest, metrics: populationOf(models) })),
    of,
  )
}

function value(value: number): Measured {
  return { value }
}

function curve(steps: number, from: number) {
  return Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    loss: from * Math.exp((-3 * i) / steps),
    learningRate: 1e-3,
  }))
}

/** B = 0 makes the first residual on retained samples 0. */
const residuals = curve(20, 1).map(({ step, loss }) => ({
  step,
  retained: step === 1 ? 0 : loss / 50,
  forget: loss,
}))

/** Samples in 20 bins: the right ones in the last, the wrong ones spread over the first. */
function histogram(samples: number, accuracy: number): number[] {
  const right = Math.round((samples * accuracy) / 100)
  return Array.from({ length: 20 }, (_, bin) =>
    bin === 19 ? right : bin < 2 ? Math.floor((samples - right) / 2) : 0,
  )
}
