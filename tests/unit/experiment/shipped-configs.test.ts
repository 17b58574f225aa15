import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkSpec } from '../../../experiment/check.ts'
import { parseConfig } from '../../../experiment/config.ts'
import { digitFacts } from './sample.ts'

const cifarFacts = {
  ...digitFacts,
  name: 'cifar10',
  shape: [32, 32, 3] as const,
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  train: digitFacts.train.map(() => 4000),
  test: digitFacts.test.map(() => 1000),
}
const folder = new URL('../../../configs/experiments/', import.meta.url)

test.each(readdirSync(folder).sort())('%s is accepted, and says what was measured', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const { spec, locate } = parseConfig({ file, text, overrides: [] })
  checkSpec(spec, spec.data.name === 'digits' ? digitFacts : cifarFacts, locate)
  expect(`${spec.name}.yaml`).toBe(file)
  expect(text).toMatch(/^# Measured on /m)
  expect(text).toContain(`./zeroshift run configs/experiments/${file}`)
})
