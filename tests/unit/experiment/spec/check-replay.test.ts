import { expect, test } from 'vitest'
import { checkProblems, edited, sample } from '../sample.ts'

const trained = (training: string, text = sample) =>
  text.replace('  epochs: 5\n', () => `  epochs: 5\n${training}`)
const replay = '  replay: { checkpoints: 4 }\n'
const rowOfReplay = edited('- method: original', '- method: replay')

test.each([
  { title: 'kept states', config: trained(replay) },
  { title: 'kept states and the method', config: trained(replay, rowOfReplay) },
  { title: 'several models', config: edited('- method: original', '- { method: sisa, shards: 3 }') },
  { title: 'late classes', config: trained('  order: { name: risky-last, classes: [2, "3"] }\n') },
  { title: 'late samples', config: trained('  order: { name: risky-last, indices: [7, 1796] }\n') },
])('accepts $title', ({ config }) => {
  expect(checkProblems(config)).toEqual([])
})

test.each([
  {
    title: 'replay without kept states',
    config: rowOfReplay,
    path: 'methods[0].method',
    message: /its training keeps none; set training\.replay: \{ checkpoints: 8 \}/,
  },
  {
    title: 'replay that is tuned',
    config: trained(replay, edited('- method: original', '- method: replay\n    tune: { trials: 2 }')),
    path: 'methods[0].tune',
    message: /replay is exact and has no option to tune; leave tune out/,
  },
  {
    title: 'sisa that is tuned',
    config: edited('- method: original', '- method: sisa\n    tune: { trials: 2 }'),
    path: 'methods[0].tune',
    message: /sisa is exact and has no option to tune; leave tune out/,
  },
  {
    title: 'sisa where a part of the model is trained',
    config: trained('  tune: { what: head }\n', edited('- method: original', '- method: sisa')),
    path: 'methods[0].method',
    message: /sisa trains models from new weights/,
  },
  {
    title: 'kept states of a model with a whitening layer',
    config: trained(replay, edited('name: mlp\n  hidden: [32, 16]', 'name: airbench')).replace(
      / {2}- method: rfa[^]*/,
      '',
    ),
    path: 'training.replay',
    message: /the first layer of airbench is computed from training samples before the first step/,
  },
  {
    title: 'an order that names nothing',
    config: trained('  order: { name: risky-last }\n'),
    path: 'training.order',
    message: /by either classes or indices/,
  },
  {
    title: 'an order that names classes and samples',
    config: trained('  order: { name: risky-last, classes: [1], indices: [1] }\n'),
    path: 'training.order',
    message: /by either classes or indices/,
  },
  {
    title: 'an unknown late class',
    config: trained('  order: { name: risky-last, classes: [1, 10] }\n'),
    path: 'training.order.classes[1]',
    message: /digits has no class 10/,
  },
  {
    title: 'an order with all classes late',
    config: trained('  order: { name: risky-last, classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }\n'),
    path: 'training.order.classes',
    message: /all classes come late/,
  },
  {
    title: 'an unknown late sample',
    config: trained('  order: { name: risky-last, indices: [0, 1797] }\n'),
    path: 'training.order.indices[1]',
    message: /digits has no sample 1797; its samples are 0 to 1796/,
  },
])('refuses $title', ({ config, path, message }) => {
  const problems = checkProblems(config)
  expect(problems).toContainEqual(
    expect.objectContaining({ path, message: expect.stringMatching(message) as unknown }),
  )
})

test.each(['replay: { checkpoints: 2 }', 'order: { name: risky-last, indices: [1] }'])(
  'refuses %s where a part of the model is trained',
  (option) => {
    const config = trained(`  ${option}\n  tune: { what: head }\n`)
    expect(checkProblems(config)).toContainEqual(
      expect.objectContaining({
        path: `training.${option.slice(0, option.indexOf(':'))}`,
        message: expect.stringContaining('needs a training of the whole model') as unknown,
      }),
    )
  },
)
