import { expect, test } from 'vitest'
import { parameterSpecs, unpackArrays } from '../../../../../learning/model/parameters.ts'
import { lastLayers } from '../../../../../unlearning/methods/shared/last-layers.ts'
import { toyModels } from '../../../../support/toy.ts'
import { checkProblems, edited } from '../../../experiment/sample.ts'

/** The names of the parameters that are trained, each of them wholly. */
function trained(model: keyof typeof toyModels, k: number): readonly string[] {
  const layers = toyModels[model]
  const parts = unpackArrays(parameterSpecs(layers).trained, lastLayers(layers, k))
  return Object.entries(parts).flatMap(([name, { values }]) => {
    expect(new Set(values).size).toBe(1)
    return values[0] === 1 ? [name] : []
  })
}

test('the last layers are those of the end, with all their parameters', () => {
  expect(trained('cnn', 2)).toEqual(['linear1.weight', 'linear1.bias', 'head.weight', 'head.bias'])
  expect(trained('cnn', 4)).toHaveLength(8)
  expect(trained('resnet', 1)).toEqual(['head.weight', 'head.bias'])
})

test('batch norms behind the first of them are trained too', () => {
  expect(trained('resnet', 2)).toEqual(expect.arrayContaining(['head.weight']))
  expect(trained('resnet', 3).some((name) => name.endsWith('.gamma'))).toBe(true)
})

test.each(['cf-k', 'eu-k'])('%s is refused for more layers than the model has', (name) => {
  const config = edited('- method: original', `- { method: ${name}, k: 9, epochs: 1 }`)
  expect(checkProblems(config)).toMatchObject([
    { path: 'methods[0].k', message: expect.stringContaining('lower k') as string },
  ])
})
