import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { outcomesOf } from '../../../activities/outcomes.ts'
import { renderRun } from '../../../activities/report.ts'
import { sampleScoresOf } from '../../../activities/sample-scores.ts'
import { samplesOf } from '../../../activities/samples.ts'
import { readLogits } from '../../../activities/stages/logits.ts'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import { blobPath } from '../../../artifacts/format/layout.ts'
import { sha256 } from '../../../common/canonical.ts'
import { outcomeAttacks, type Outcomes } from '../../../experiment/records/outcomes.ts'
import type { SampleSet } from '../../../experiment/records/samples.ts'
import type { RunRecord } from '../../../experiment/records/run.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { manifestsOf } from '../../../activities/report.ts'
import { manifestOf, type ReportInput } from '../../../report/input.ts'
import type { Logits } from '../../../unlearning/metrics/logits.ts'
import { computePlan } from '../../support/computed-plan.ts'
import { facts } from '../report/fixtures.ts'

describe('the outcomes of a computed run', () => {
  let artifacts: Artifacts
  let run: RunRecord
  let input: ReportInput
  let outcomes: Outcomes
  beforeAll(async () => {
    const spec = specSchema.parse({
      name: 'tiny',
      data: { name: 'digits' },
      split: { kind: 'random', fraction: 0.1 },
      model: { name: 'mlp', hidden: [8] },
      training: { epochs: 3 },
      shadow: { models: 8 },
      ruli: {},
      methods: [{ method: 'original' }, { method: 'finetune', epochs: 1 }],
    })
    const computed = await computePlan(spec)
    artifacts = computed.artifacts
    const command = { config: 'tiny.yaml', overrides: [] }
    run = { id: 'tiny-1', spec, facts, plan: computed.plan, command }
    input = { run, manifests: await manifestsOf(artifacts, run), failed: [] }
    outcomes = await outcomesOf(artifacts, input)
  })

  const modelOf = (label: string) => {
    const found = outcomes.models.find((model) => model.label === label)
    if (!found) throw new Error(`no outcomes of ${label}`)
    return found
  }
  const evaluated = () => [
    { label: 'gold', ...run.plan.reference },
    ...run.plan.candidates.map((candidate) => ({ ...candidate })),
  ]

  test('are of gold, of each row and of the floor', () => {
    expect(outcomes.rows.map(({ label }) => label)).toEqual([
      'gold',
      'original',
      'finetune',
      'retrain, seed 2',
    ])
    expect(outcomes.rows.map(({ isGold, isFloor }) => [isGold, isFloor])).toEqual([
      [true, false],
      [false, false],
      [false, false],
      [false, true],
    ])
    expect(outcomes.missing).toEqual([])
  })

  test('have the accuracies of the evaluations', () => {
    for (const { label, evaluate } of evaluated()) {
      const accuracy = evaluate && manifestOf<'evaluate'>(input, evaluate)?.metrics.accuracy
      for (const set of ['retained', 'forget', 'test'] as const) {
        const { samples = [], correct = [], confusion = [] } = modelOf(label).sets[set] ?? {}
        const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
        expect({ value: (100 * sum(correct)) / sum(samples) }).toEqual(accuracy?.[set])
        expect(confusion.map(sum)).toEqual(samples)
        expect(confusion.map((row, i) => row[i])).toEqual(correct)
      }
    }
  })

  test('have a confusion matrix that counting by hand gives, and margins in the order of the samples', async () => {
    const { forget } = await logitsOf('finetune')
    const expected = facts.classes.map(() => facts.classes.map(() => 0))
    const margins = Array.from(forget.labels, (label, i) => {
      const row = Array.from(forget.values.subarray(i * forget.classes, (i + 1) * forget.classes))
      const guess = row.findIndex((z) => row.every((other) => z >= other))
      const counts = expected[label]
      if (counts) counts[guess] = (counts[guess] ?? 0) + 1
      const others = row.filter((_, k) => k !== label)
      return (row[label] ?? NaN) - Math.log(others.reduce((sum, z) => sum + Math.exp(z), 0))
    })
    const model = modelOf('finetune')
    expect(model.sets.forget?.confusion).toEqual(expected)
    expect(model.forgetMargins).toHaveLength(margins.length)
    model.forgetMargins.forEach((margin, i) => {
      expect(margin).toBeCloseTo(margins[i] ?? NaN, 3)
    })
  })

  test('have the area of the loss that a count over all pairs gives', async () => {
    const { forget, attackTest, test } = await logitsOf('original')
    const losses = ({ values, labels, classes }: Logits) =>
      Array.from(labels, (label, i) => {
        const row = values.subarray(i * classes, (i + 1) * classes)
        return Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - (row[label] ?? NaN)
      })
    const others = [...losses(attackTest), ...losses(test)]
    const pairs = losses(forget).flatMap((loss) =>
      others.map((other) => (loss < other ? 1 : loss === other ? 0.5 : 0)),
    )
    const found = modelOf('original').attacks.find(({ attack }) => attack === 'loss')
    expect(found).toMatchObject({ members: forget.labels.length, nonMembers: others.length })
    expect(found && 'auc' in found && found.auc).toBeCloseTo(
      pairs.reduce((sum: number, pair) => sum + pair, 0) / pairs.length,
      6,
    )
  })

  test('have the areas of the attacks by shadow models that their stages have', () => {
    for (const { label, membership, ruli } of evaluated()) {
      const area = (name: string) => {
        const found = modelOf(label).attacks.find(({ attack }) => attack === name)
        return found && ('missing' in found ? found.missing : { value: found.auc, interval: found.interval })
      }
      const shadows = membership && manifestOf<'membership'>(input, membership)?.metrics.sets.forget.attacks
      expect(area('lira')).toEqual(shadows?.lira.auc)
      expect(area('liraOffline')).toEqual(shadows?.liraOffline.auc)
      expect(area('rmia')).toEqual(shadows?.rmia.auc)
      const vulnerable = ruli && manifestOf<'ruli'>(input, ruli)?.metrics.samples.vulnerable.attacks
      expect(vulnerable).toBeDefined()
      expect(area('ruliGaussian')).toEqual(vulnerable?.gaussian.auc)
      expect(area('ruliKernel')).toEqual(vulnerable?.kernel.auc)
    }
  })

  test('belong to the scores of the samples: a count over them gives each area', async () => {
    const table = (await samplesOf(artifacts, input)) ?? expect.fail('the run has no samples')
    expect(table.attacks).toEqual(outcomeAttacks)
    for (const attack of table.attacks) {
      const found = (await sampleScoresOf(artifacts, input, attack)) ?? expect.fail('there are no scores')
      expect(found.missing).toEqual([])
      expect(found.models.map(({ label }) => label)).toEqual(table.models.map(({ label }) => label))
      for (const { label, scores } of found.models) {
        expect(scores).toHaveLength(table.number.length)
        const of = (set: SampleSet) =>
          scores.flatMap((score, row) =>
            table.sets[table.set[row] ?? -1] === set && score !== null ? [score] : [],
          )
        const [members, others] = [of('forget'), of('test')]
        const curve = modelOf(label).attacks.find((one) => one.attack === attack)
        expect(curve, attack).toMatchObject({ members: members.length, nonMembers: others.length })
        const pairs = members.flatMap((score) =>
          others.map((other) => (score > other ? 1 : score === other ? 0.5 : 0)),
        )
        const area = pairs.reduce((sum: number, pair) => sum + pair, 0) / pairs.length
        // Scores have six digits, which may make a tie of two that are close.
        expect(curve && 'auc' in curve && curve.auc, `${label} ${attack}`).toBeCloseTo(area, 4)
      }
    }
  })

  test('have no curves of further models once the attacks have read what they may', async () => {
    const sizes = await logitsOf('original')
    const { forget, attackTest, test: tested } = sizes
    // Enough for the scores of gold and of one more model, and for no attack by shadow models.
    const scores = forget.values.length + attackTest.values.length + tested.values.length
    const shadows = (forget.labels.length + attackTest.labels.length + tested.labels.length) * 8
    const capped = await outcomesOf(artifacts, input, 2 * scores + shadows)
    const curves = capped.models.map(({ attacks }) =>
      attacks.flatMap((one) => ('missing' in one ? [] : [one.attack])),
    )
    const all = outcomes.models.map(({ attacks }) =>
      attacks.flatMap((one) => ('missing' in one ? [] : [one.attack])),
    )
    expect(all[1]).toContain('lira')
    expect(all[3]).toContain('loss')
    // Gold has all of its curves, the next model those of its scores, and the others have none.
    expect(curves[0]).toEqual(all[0])
    expect(curves[1]).toEqual(all[1]?.filter((name) => !/^(lira|rmia|ruli)/.test(name)))
    expect(curves.slice(2).flat()).toEqual([])
    expect(capped.models[3]?.attacks[0]).toEqual({
      attack: outcomes.models[3]?.attacks[0]?.attack,
      missing: 'a report draws curves of so many samples of the first models alone',
    })
    // All that is no attack is as before.
    expect(capped.models.map(({ sets, forgetMargins }) => [sets, forgetMargins])).toEqual(
      outcomes.models.map(({ sets, forgetMargins }) => [sets, forgetMargins]),
    )
  })

  test('are in a file of the report, whose digest the page names and that changes no digest of the run', async () => {
    const { files, digest } = await renderRun(artifacts, run, [])
    const text = files['outcomes.json'] ?? ''
    expect(JSON.parse(text)).toEqual(outcomes)
    expect(files['index.html']).toContain(sha256(text))
    expect(files['report.json']).not.toContain('falsePositives')
    expect(files['results.tex']).toContain(`% SHA-256 of what was computed: ${digest}`)
    const [head = '', ...lines] = files['results.csv'].trimEnd().split('\r\n')
    expect(head).toMatch(/^run,label,method,is_floor,ra,/)
    expect(
      lines.map((line) => /^tiny-1,(?:"[^"]*"|[^,]*),([^,]*),(true|false),/.exec(line)?.slice(1)),
    ).toEqual([
      ['original', 'false'],
      ['finetune', 'false'],
      ['retrain', 'true'],
    ])
  })

  test('of a model whose logits are gone are missing with the reason, and the report has the others', async () => {
    const { digest } = await renderRun(artifacts, run, [])
    const evaluate = run.plan.candidates.find(({ label }) => label === 'finetune')?.evaluate
    const blob = evaluate && manifestOf<'evaluate'>(input, evaluate)?.outputs.logits
    if (!blob) throw new Error('the evaluation has left no logits')
    rmSync(fileURLToPath(artifacts.store.locate(blobPath(blob))))
    const left = await outcomesOf(openArtifacts(fileURLToPath(artifacts.store.url)), input)
    const reason = 'the store has no usable blob of its logits'
    expect(left.missing).toEqual([{ label: 'finetune', seed: 0, reason }])
    expect(left.models).toEqual(outcomes.models.filter(({ label }) => label !== 'finetune'))
    const { files, digest: after } = await renderRun(artifacts, run, [])
    expect(after).toBe(digest)
    expect(files['report.md']).toContain(reason)
  })

  async function logitsOf(label: string) {
    const evaluate = run.plan.candidates.find((candidate) => candidate.label === label)?.evaluate
    const manifest = evaluate && manifestOf<'evaluate'>(input, evaluate)
    if (!manifest) throw new Error(`no evaluation of ${label}`)
    return readLogits(artifacts, manifest)
  }
})
