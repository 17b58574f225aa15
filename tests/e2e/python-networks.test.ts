import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { figuresOf, isWithoutPython, pythonExamples, whyWithout } from '../support/python-examples.ts'

describe.skipIf(isWithoutPython)(`programs in Python that train networks${whyWithout}`, () => {
  const { whole, surviveKills } = pythonExamples([
    'zeroshift.torch_support',
    'transformers.trainer',
    'transformers.models.vit.modeling_vit',
  ])

  test('ResNet-9, which Zeroshift does not know, has two methods and LiRA by 8 shadow models', async () => {
    const run = await whole('resnet9')
    expect(figuresOf(run, 'original')?.ra).toBeGreaterThan(80)
    expect(figuresOf(run, 'negative gradients')?.ua).toBeGreaterThan(figuresOf(run, 'fine-tuning')?.ua ?? NaN)
    const file = join(run.directory, '.zeroshift/store/runs', run.answer.id, 'report/report.json')
    const { computed } = JSON.parse(readFileSync(file, 'utf8')) as { readonly computed: unknown }
    const auc = { value: expect.any(Number) as number }
    const row = (label: string) => ({
      label,
      seeds: [{ models: 8, sets: { forget: { attacks: { lira: { auc }, liraOffline: { auc } } } } }],
    })
    expect(computed).toMatchObject({
      membership: ['original', 'retrain', 'fine-tuning', 'negative gradients'].map(row),
    })
  })

  test('the Trainer of transformers trains original and gold, and unlearns', async () => {
    const run = await whole('hf_trainer')
    expect(figuresOf(run, 'original')?.ra).toBeGreaterThan(25)
    // Gold never saw the class.
    expect(figuresOf(run, 'retrain')?.ua).toBe(100)
    expect(figuresOf(run, 'fine-tuning')?.ua).toBeGreaterThan(figuresOf(run, 'original')?.ua ?? NaN)
  })

  test('the Trainer continues from its checkpoints after SIGKILL of the program and of the worker, to the same bytes', () =>
    surviveKills('hf_trainer', true))
})
