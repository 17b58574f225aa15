/**
 * The time of the support-vector attack on 2,000 members and 2,000 non-members, and of the same
 * solver in plain loops (plain-svm.ts), in turn. Prints the shortest times and their ratios.
 *
 *     node --import tsx bench/svm.ts [ROUNDS]
 */
import { stream } from '../learning/random.ts'
import { fitSvm } from '../unlearning/attacks/svm.ts'
import { fitPlainSvm } from './plain-svm.ts'

const SAMPLES = 2000
const [rounds = 7] = process.argv.slice(2).map(Number)

/** Scores as classifiers have them: those of members are better by `shift`. */
const random = stream(1, 'bench')
const problems: Readonly<Record<string, (shift: number) => number>> = {
  confidence: (shift) => random.uniform() ** (0.1 + shift),
  loss: (shift) => -Math.log((1 - random.uniform()) ** (0.1 + 3 * shift)),
  entropy: (shift) => Math.abs(random.normal()) * (0.4 + 2 * shift),
  'modified entropy': (shift) => Math.exp(3 * random.normal() - 5 + 10 * shift),
  'normal variables': (shift) => random.normal() + 3 * shift,
}

console.log('| scores | plain, ms | attack, ms | ratio |\n| --- | --- | --- | --- |')
for (const [name, score] of Object.entries(problems)) {
  const members = Float64Array.from({ length: SAMPLES }, () => score(0))
  const others = Float64Array.from({ length: SAMPLES }, () => score(0.1))
  const times = { plain: Infinity, attack: Infinity }
  for (let round = 0; round < rounds; round++) {
    times.plain = Math.min(times.plain, await milliseconds(() => fitPlainSvm(members, others)))
    times.attack = Math.min(times.attack, await milliseconds(() => fitSvm(members, others)))
  }
  const { plain, attack } = times
  console.log(`| ${name} | ${plain.toFixed(0)} | ${attack.toFixed(0)} | ${(plain / attack).toFixed(2)} |`)
}

async function milliseconds(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
