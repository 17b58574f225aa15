import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { figuresOf, isWithoutPython, pythonExamples, whyWithout } from '../support/python-examples.ts'

describe.skipIf(isWithoutPython)(`programs in Python${whyWithout}`, () => {
  const { installed, whole, surviveKills } = pythonExamples(['zeroshift.torch_support', 'sklearn.ensemble'])

  test('SCRUB in PyTorch agrees with the built-in one within the noise of the seeds', async () => {
    const { directory, answer } = await whole('scrub')
    const script = `
import json
from zeroshift import Run
table = Run("${answer.id}", store="${directory}/.zeroshift/store").table().dropna(subset="value")
print(json.dumps({label: rows.groupby("metric").value.agg(list).to_dict() for label, rows in table.groupby("label")}))
`
    const { stdout, stderr } = spawnSync(installed(), ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const figures = JSON.parse(stdout) as Record<string, Record<string, readonly number[]>>
    // 4.6 is the 99.5% quantile of Student's t with 4 degrees of freedom. The numbers of `allowed`
    // are added, since all seeds may have the same figure.
    const allowed = { ua: 0.3, ra: 0.3, ta: 0.3, activationForget: 0.02, activationRetained: 0.02 }
    for (const [metric, more] of Object.entries(allowed)) {
      const [own, theirs] = ['scrub', 'scrub in PyTorch'].map((label) =>
        statistics(figures[label]?.[metric] ?? []),
      )
      const noise = Math.sqrt(((own?.variance ?? NaN) + (theirs?.variance ?? NaN)) / 3)
      expect(Math.abs((own?.mean ?? NaN) - (theirs?.mean ?? NaN)), metric).toBeLessThan(4.6 * noise + more)
    }
    // Both forget, as far as the noise of the seeds.
    expect(statistics(figures.original?.ua ?? []).mean).toBeLessThan(5)
    expect(statistics(figures['scrub in PyTorch']?.ua ?? []).mean).toBeGreaterThan(85)
  })

  test('a forest of scikit-learn is original, gold and method by its logits alone', async () => {
    const run = await whole('sklearn_model')
    expect(figuresOf(run, 'original')?.ra).toBeGreaterThan(99)
    expect(figuresOf(run, 'original')?.ua).toBe(0)
    for (const label of ['retrain', 'a small forest anew'])
      expect(figuresOf(run, label)?.ua).toBeGreaterThan(0)
  })

  test('SCRUB continues from its checkpoints after SIGKILL of the program and of the worker, to the same bytes', () =>
    surviveKills('scrub', true))

  test('a forest is started again after SIGKILL of the program and of the worker, to the same bytes', () =>
    surviveKills('sklearn_model', false))
})

function statistics(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}
