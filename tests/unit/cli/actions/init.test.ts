import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { init } from '../../../../cli/actions/init.ts'
import { configTemplate, templateData, templateSplits } from '../../../../cli/workspace/config-template.ts'
import { parseConfig } from '../../../../experiment/spec/config.ts'

const choices = templateData.flatMap((data) => templateSplits.map((split) => [data, split] as const))

test.each(choices)('the config for %s and %s is valid', (data, split) => {
  const text = configTemplate({ name: 'mine', data, split, seeds: 2, schema: 'schema.json' })
  const { spec } = parseConfig({ file: 'mine.yaml', text })
  expect(spec).toMatchObject({ name: 'mine', data: { name: data }, split: { kind: split }, seeds: 2 })
  expect(spec.methods.length).toBeGreaterThan(3)
})

test.each([
  [
    'an unknown data set',
    'mine',
    { data: 'imagenet', split: 'class' },
    /--data: found 'imagenet'; expected one of digits/,
  ],
  ['an unknown split', 'mine', { data: 'digits', split: 'all' }, /--split: found 'all'/],
  ['a name that is a path', '../mine', { data: 'digits', split: 'class' }, /name/],
  ['no whole number', 'mine', { data: 'digits', split: 'class', seeds: '1.5' }, /--seeds/],
])('%s is refused, and nothing is written', async (_, name, options, message) => {
  await expect(init(name, options)).rejects.toThrow(message)
  expect(existsSync('mine.yaml')).toBe(false)
})
