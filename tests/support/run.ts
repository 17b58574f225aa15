import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { plan } from '../../experiment/plan/plan.ts'
import { runId, type RunInput } from '../../experiment/records/run.ts'
import { specSchema } from '../../experiment/spec/spec.ts'

const facts: DatasetFacts = {
  name: 'digits',
  shape: [8, 8, 1],
  classes: ['0', '1', '2'],
  train: [30, 30, 30],
  test: [0, 0, 0],
  sources: [{ name: 'digits.csv.gz', sha256: '0'.repeat(64), bytes: 1 }],
  citation: 'none',
}

/** A small run with two methods beside gold; `name` and `seed` make it one of its own. */
export function sampleRun({
  name = 'sample',
  seed = 1,
  seeds = 1,
  shadows = 0,
  features = false,
  trials = 0,
  store = 'file:///nowhere',
} = {}): RunInput {
  const spec = specSchema.parse({
    name,
    seed: { training: seed },
    seeds,
    data: { name: 'digits', ...(trials > 0 && { validation: 0.1 }) },
    split: { kind: 'class', classes: [0] },
    model: { name: 'mlp', hidden: [8] },
    training: { epochs: 1 },
    ...(trials > 0 && { tune: { trials } }),
    ...(shadows > 0 && { shadow: { models: shadows } }),
    ...(features && { relearn: {}, probe: {} }),
    methods: [{ method: 'retrain' }, { method: 'finetune', epochs: 1 }, { method: 'rfa', steps: 10 }],
  })
  const planned = plan(spec, facts)
  return {
    run: {
      id: runId(spec.name, planned),
      spec,
      facts,
      plan: planned,
      command: { config: 'sample.yaml', overrides: [] },
    },
    settings: { store },
  }
}
