import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { methodSchemas } from '../../../../experiment/spec/methods.ts'

test('every method of the vocabulary that makes a model has a file, and every file a method', () => {
  const entries = readdirSync(new URL('../../../../unlearning/methods', import.meta.url))
  const files = entries.filter((entry) => entry.endsWith('.ts')).map((file) => file.replace('.ts', ''))
  const named = methodSchemas
    .map((schema) => schema.shape.method.value)
    .filter((name) => name !== 'original' && name !== 'retrain')
  expect(files.sort()).toEqual([...named].sort())
})
