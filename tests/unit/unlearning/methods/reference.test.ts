import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadMethod, type Unlearned } from '../../../../unlearning/method.ts'
import {
  deviceData,
  input,
  layers,
  seed,
  specs,
  training,
  type Input,
  type ReferenceMethod,
} from '../../../reference/methods.ts'

/** The vectors that tests/reference/make_methods.py wrote: θ_u after each step. */
const reference = JSON.parse(
  readFileSync(new URL('../../../reference/methods.json', import.meta.url), 'utf8'),
) as { readonly input: Input; readonly expected: Readonly<Record<ReferenceMethod, readonly number[][]>> }

test('PyTorch was given what Zeroshift gives its methods today', () => {
  expect(reference.input).toEqual(JSON.parse(JSON.stringify(input())))
})

/** Returns the same method, which stops after some steps. */
function stopped(name: ReferenceMethod, steps: number) {
  switch (name) {
    case 'rfa':
      return { ...specs.rfa, steps }
    case 'salun':
    case 'bad-teacher':
    case 'delete':
    case 'amun':
    case 'ct':
    case 'msg':
    case 'cf-k':
    case 'eu-k':
      return { ...specs[name], epochs: steps }
    case 'scrub':
      // Epochs of one step on D_f and one on D_r, then of one on D_r.
      return { ...specs.scrub, epochs: Math.ceil(steps / 2) }
    case 'sfr-on':
      // Two steps in the first iteration, then one in each.
      return { ...specs['sfr-on'], iterations: steps - 1 }
    case 'ssd':
    case 'fisher':
    case 'damp':
      return specs[name]
  }
}

describe.each(Object.keys(specs) as ReferenceMethod[])('%s', (name) => {
  const expected = reference.expected[name]
  const isPair = name === 'scrub' || name === 'sfr-on'
  const steps = expected.map((_, i) => i + 1).filter((step) => !isPair || step !== 1)

  test.each(steps)('agrees with PyTorch after step %i, to 1e-4 of the largest change', async (step) => {
    const { original: start, sets } = reference.input
    const data = deviceData(reference.input)
    const run = (await loadMethod(name)) as (spec: unknown, context: unknown) => Promise<Unlearned>
    const { weights, metrics } = await run(stopped(name, step), {
      layers,
      original: { trained: Float32Array.from(start), statistics: new Float32Array() },
      data,
      retained: Int32Array.from(sets.retained),
      forget: Int32Array.from(sets.forget),
      validation: new Int32Array(),
      training,
      seed,
    })
    data.dispose()
    if ('epochs' in specs[name] || 'steps' in specs[name] || 'iterations' in specs[name])
      expect(metrics.steps).toBe(step)

    const wanted = expected[step - 1] ?? []
    expect(weights.trained).toHaveLength(wanted.length)
    const change = Math.max(...wanted.map((value, i) => Math.abs(value - (start[i] ?? NaN))))
    expect(change).toBeGreaterThan(1e-3)
    wanted.forEach((value, i) => {
      expect(Math.abs((weights.trained[i] ?? NaN) - value)).toBeLessThan(1e-4 * change)
    })
  })
})
