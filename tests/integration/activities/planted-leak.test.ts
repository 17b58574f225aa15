import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { findDataDirectory } from '../../../activities/inputs/data-directory.ts'
import { evaluate } from '../../../activities/stages/evaluate.ts'
import { createActivities } from '../../../activities/index.ts'
import type { WrittenReport } from '../../../activities/report.ts'
import { stageActivity, type StageBody } from '../../../activities/runtime/stage.ts'
import { decodeTensors, encodeTensors } from '../../../artifacts/format/safetensors.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { runId } from '../../../experiment/records/run.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { seedsOf, stagesOf } from '../../../experiment/stages/stage-list.ts'
import { inspectDataset } from '../../../datasets/index.ts'
import { quietEnvironment } from '../../support/activity-environment.ts'
import { fileDirectory } from '../../support/directories.ts'

/**
 * Two "unlearnings" that return the original model and disguise its logits of D_f. All other stages
 * are real. The originals know their 359 digits by heart, and gold is wrong on about a tenth of the
 * forgotten ones. The limits leave a wide margin, since other devices train other models.
 */
const spec = specSchema.parse({
  name: 'leak',
  seeds: 8,
  data: { name: 'digits', test: 0.8 },
  split: { kind: 'random', fraction: 0.25 },
  model: { name: 'mlp', hidden: [64] },
  training: { epochs: 40, batchSize: 64, optimizer: { name: 'adam', learningRate: 1e-2 } },
  gold: { models: 2 },
  methods: [
    { method: 'retrain' },
    { method: 'original' },
    { method: 'finetune', label: 'less sure', epochs: 1 },
    { method: 'finetune', label: 'relabelled', epochs: 2 },
  ],
  attack: { samples: 50 },
})

/** Logits of one sample of D_f, dressed up. */
type Disguise = (logits: Float32Array) => Float32Array

const disguises: Readonly<Record<string, Disguise>> = {
  /**
   * A temperature: the same label with less confidence. It brings MIA and the gap closer to those
   * of gold than the original is.
   */
  'less sure': (logits) => logits.map((logit) => logit / 2),
  /** The two highest logits change places: another label, as sure of it. */
  relabelled: (logits) => {
    const [first = NaN, second = NaN] = [...logits].sort((a, b) => b - a)
    return logits.map((logit) => (logit === first ? second : logit === second ? first : logit))
  },
}

const noUnlearning: StageBody<'unlearn'> = async ({ artifacts, inputs }) => {
  const { model } = inputs.original.outputs
  if (!model) throw new Error('the original left no model')
  return {
    outputs: { model: await artifacts.getBlob(model) },
    metrics: { trainable: 0, steps: 0, samplesUsed: { retained: 0, forget: 0 }, curve: [] },
    seconds: 0,
  }
}

const disguised =
  (disguise: Disguise): StageBody<'evaluate'> =>
  async (context) => {
    const work = await evaluate(context)
    const { logits: blob } = work.outputs
    if (!(blob instanceof Uint8Array)) throw new Error('the evaluation has no logits')
    const { tensors } = decodeTensors(blob)
    const logits = tensors['forget.logits']
    if (logits?.dtype !== 'F32') throw new Error('there are no logits of the forget set')
    const classes = logits.shape[1] ?? 0
    const values = logits.values.slice()
    for (let at = 0; at < values.length; at += classes)
      values.set(disguise(values.slice(at, at + classes)), at)
    return {
      ...work,
      outputs: { logits: encodeTensors({ ...tensors, 'forget.logits': { ...logits, values } }) },
    }
  }

let store: string
let report: { readonly html: string; readonly markdown: string; readonly rows: readonly Row[] }

interface Row {
  readonly label: string
  readonly models: number
  readonly uLira: { readonly value: number; readonly interval: readonly [low: number, high: number] }
}

beforeAll(async () => {
  store = fileDirectory()
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  const planned = plan(spec, facts)
  const command = { config: 'leak.yaml', overrides: [] }
  const run = { id: runId(spec.name, planned), spec, facts, plan: planned, command }

  const planted = new Map<string, unknown>()
  for (const { label, unlearn, evaluate } of seedsOf(planned).flatMap(({ candidates }) => candidates)) {
    const disguise = disguises[label]
    if (!disguise || !unlearn) continue
    planted.set(
      unlearn.key,
      stageActivity('unlearn', () => Promise.resolve(noUnlearning)),
    )
    planted.set(
      evaluate.key,
      stageActivity('evaluate', () => Promise.resolve(disguised(disguise))),
    )
  }
  const real = createActivities()
  for (const stage of stagesOf(planned)) {
    const activity = (planted.get(stage.key) ?? real[stage.kind]) as (task: object) => Promise<object>
    await quietEnvironment().run(activity, { stage, settings: { store } })
  }

  const reported = quietEnvironment().run(() => real.report({ run, settings: { store }, failed: [] }))
  const { url } = (await reported) as WrittenReport
  const read = (name: string) => readFile(join(fileURLToPath(url), name), 'utf8')
  const json = JSON.parse(await read('report.json')) as { computed: { population: readonly Row[] } }
  report = {
    html: await read('index.html'),
    markdown: await read('report.md'),
    rows: json.computed.population,
  }
}, 180_000)

const floor = 'retrain, gold 2'

function uLiraOf(label: string): Row['uLira'] {
  const found = report.rows.find((row) => row.label === label)
  if (!found) throw new Error(`the report has no population '${label}'`)
  expect(found.models).toBe(8)
  return found.uLira
}

describe('U-LiRA', () => {
  test.each([
    ['original', 60, 'whose model has forgotten nothing'],
    ['less sure', 75, 'which only lowers the confidence in what it still knows'],
    ['relabelled', 75, 'which only says another label'],
  ])('catches %s (above %i%%), %s', (label, least) => {
    const { interval } = uLiraOf(label)
    expect(interval[0]).toBeGreaterThan(least)
    expect(interval[0]).toBeGreaterThan(uLiraOf(floor).interval[1])
  })

  test('does not catch what has nothing planted: gold of other seeds against gold', () => {
    expect(Math.abs(uLiraOf(floor).value - 50)).toBeLessThan(8)
  })
})

describe('the report', () => {
  const percent = (value: number) => value.toFixed(2)

  test.each(['original', 'less sure', 'relabelled', floor])('shows it to readers: %s', (label) => {
    const { value, interval } = uLiraOf(label)
    const [low, high] = [percent(interval[0]), percent(interval[1])]
    const shown = label === floor ? `*floor: ${label}*` : label
    expect(report.markdown).toContain(`\n| ${shown} | ${percent(value)} (${low} – ${high}) |`)
    const text = report.html.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
    expect(text).toContain(` ${label} ${percent(value)} (${low} – ${high}) `)
  })

  test('has them in the order in which they were asked for, gold against gold last', () => {
    expect(report.rows.map(({ label }) => label)).toEqual(['original', 'less sure', 'relabelled', floor])
  })
})
