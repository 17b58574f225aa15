import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stream } from '../../../learning/random.ts'
import { svmKernelsModule } from '../../../unlearning/attacks/make-svm-kernels.ts'
import { BLOCK, SvmArrays } from '../../../unlearning/attacks/svm-arrays.ts'
import { fitSvm } from '../../../unlearning/attacks/svm.ts'
import { fitPlainSvm } from '../../../bench/plain-svm.ts'

const random = stream(1, 'svm test')
const draw = (count: number, value: () => number) => Float64Array.from({ length: count }, value)

async function expectPlainBits(members: Float64Array, others: Float64Array): Promise<void> {
  const decision = await fitSvm(members, others)
  const plain = fitPlainSvm(members, others)
  for (const query of [...members, ...others, -1e9, -30, 0, 0.5, 30, 1e30])
    expect(decision(query)).toBe(plain(query))
}

describe('the decisions have the bits of plain loops', () => {
  it.each([
    ['confidences', (shift: number) => random.uniform() ** (0.1 + shift)],
    ['losses', (shift: number) => -Math.log((1 - random.uniform()) ** (0.1 + shift))],
    ['a wide range of losses', (shift: number) => Math.exp(3 * random.normal() - 4 + 10 * shift)],
    ['normal variables', (shift: number) => random.normal() + 3 * shift],
    ['scores far from each other', (shift: number) => 4000 * random.uniform() + shift],
  ])('%s: more kernel rows than memory keeps', async (_, value) => {
    await expectPlainBits(
      draw(300, () => value(0)),
      draw(290, () => value(0.1)),
    )
  })

  it('a few scores of any size, some of them equal', async () => {
    const scores = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 60, noNaN: true }),
        fc.double({ min: -1e200, max: 1e200, noNaN: true }),
      ),
      { minLength: 1, maxLength: 3 * BLOCK },
    )
    await fc.assert(
      fc.asyncProperty(scores, scores, (members, others) =>
        expectPlainBits(Float64Array.from(members), Float64Array.from(others)),
      ),
    )
  })
})

/** exp(−(0 − x)²) for all x as the kernel row of a variable at 0. */
function kernelRow(x: readonly number[]): Float64Array {
  const padding = Array.from({ length: BLOCK - (x.length % BLOCK) }, () => 0)
  const arrays = new SvmArrays(
    Float64Array.from([...x, ...padding]),
    new Float64Array(x.length + padding.length),
  )
  const start = arrays.row(x.length)
  return arrays.kernel.slice(start, start + x.length)
}

describe('kernel rows have the bits of Math.exp', () => {
  const squares = [
    ['below 2^-28, where exp(−s) is 1 − s', 0, 2 ** -28],
    ['around (ln 2) / 2, where another formula begins', 0.346573, 0.346574],
    ['around 3 (ln 2) / 2', 1.03972, 1.03973],
    ['of usual scores', 0, 30],
    ['where results lose bits', 708, 746],
  ] as const
  it.each(squares)('squares %s', (_, from, to) => {
    const x = [...draw(20_000, () => Math.sqrt(from + (to - from) * random.uniform()))]
    expect(kernelRow(x)).toEqual(Float64Array.from(x, (value) => Math.exp(-value * value)))
  })

  it('squares at the edges', () => {
    const edges = [
      0,
      5e-324,
      2 ** -28,
      Math.LN2 / 2,
      1.5 * Math.LN2,
      708.4,
      745.1332191019411,
      745.2,
      1e300,
      Infinity,
    ]
    const x = edges.map(Math.sqrt)
    expect(kernelRow(x)).toEqual(Float64Array.from(x, (value) => Math.exp(-value * value)))
  })
})

it('svm-kernels.ts is what svm-kernels.wat says; otherwise run make-svm-kernels.ts', async () => {
  const file = new URL('../../../unlearning/attacks/svm-kernels.ts', import.meta.url)
  expect(readFileSync(file, 'utf8')).toBe(await svmKernelsModule())
})

it('refuses scores that are not numbers', async () => {
  await expect(fitSvm(Float64Array.from([NaN, 1]), Float64Array.from([1]))).rejects.toThrow(/finite/)
})
