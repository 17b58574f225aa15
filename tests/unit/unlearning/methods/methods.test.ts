import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isNotUnlearned, methodSchema, methodSchemas } from '../../../../experiment/spec/methods.ts'

test('every method of the vocabulary that makes a model has a file, and every file a method', () => {
  const entries = readdirSync(new URL('../../../../unlearning/methods', import.meta.url))
  const files = entries.filter((entry) => entry.endsWith('.ts')).map((file) => file.replace('.ts', ''))
  const named = methodSchemas
    .map((schema) => schema.shape.method.value)
    .filter((name) => !isNotUnlearned(name))
  expect(files.sort()).toEqual([...named].sort())
})

test.each([
  // OPTML-Group/Unlearn-Saliency: Classification/arg_parser.py
  {
    method: 'salun',
    share: 0.5,
    epochs: 10,
    batchSize: 256,
    optimizer: { name: 'sgd', learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 },
  },
  // meghdadk/SCRUB: large_scale_unlearning.ipynb
  {
    method: 'scrub',
    alpha: 0.001,
    gamma: 0.99,
    temperature: 4,
    epochs: 3,
    maxEpochs: 2,
    forgetBatch: 512,
    batchSize: 256,
    optimizer: { name: 'sgd', learningRate: 5e-4, momentum: 0.9, weightDecay: 5e-4 },
  },
  // if-loops/selective-synaptic-dampening: src/forget_random_main.py
  { method: 'ssd', alpha: 10, lambda: 1, batchSize: 128, importance: 'all' },
])('the defaults of $method are those of the authors’ code', ({ method, ...expected }) => {
  expect(methodSchema.parse({ method })).toMatchObject(expected)
})
