import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { forgetCount, resolveClasses, setSizes } from '../../../../experiment/spec/sets.ts'
import type { DatasetFacts } from '../../../../experiment/spec/dataset.ts'
import { UserError } from '../../../../common/errors.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { checkProblems, digitFacts, edited, sample } from '../sample.ts'

const cifarFacts: DatasetFacts = {
  name: 'cifar10',
  shape: [32, 32, 3],
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  train: [500, 500, 500, 500, 500, 500, 0, 500, 500, 500],
  test: [100, 100, 100, 100, 100, 100, 100, 100, 100, 100],
  sources: [],
  citation: '',
}
/** An optimizer with a group of these layers. */
const grouped = (layers: string) => `{ name: sgd, learningRate: 0.1, groups: [{ layers: [${layers}] }] }`
const cifar = (text: string) => text.replace('name: digits', 'name: cifar10')

test('the sample is right', () => {
  expect(checkProblems(sample)).toEqual([])
  expect(checkProblems(cifar(sample), cifarFacts)).toEqual([])
})

describe('what does not fit the data is said with its place', () => {
  test.each([
    [
      'a class index that the data lacks',
      edited('[3]', '[3, 10]'),
      digitFacts,
      { line: 6, column: 16, path: 'split.classes[1]' },
      'digits has no class 10; its classes are 0 to 9: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9',
    ],
    [
      'a class name that the data lacks',
      cifar(edited('[3]', '[cta]')),
      cifarFacts,
      { line: 6, column: 13, path: 'split.classes[0]' },
      'cifar10 has no class "cta"; did you mean "cat"?',
    ],
    [
      'a class name that is near none',
      cifar(edited('[3]', '[zebra]')),
      cifarFacts,
      { line: 6, column: 13, path: 'split.classes[0]' },
      'cifar10 has no class "zebra"; its classes are: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck',
    ],
    [
      'one class by index and name',
      cifar(edited('[3]', '[cat, 3]')),
      cifarFacts,
      { line: 6, column: 18, path: 'split.classes[1]' },
      'class 3 ("cat") is listed twice; remove one',
    ],
    [
      'a class without a sample',
      cifar(edited('[3]', '[frog]')),
      cifarFacts,
      { line: 6, column: 13, path: 'split.classes[0]' },
      'the data has no training sample of class 6 ("frog"), so there is nothing to forget',
    ],
    [
      'an empty forget set',
      edited('kind: class\n  classes: [3]', 'kind: random\n  fraction: 1e-5'),
      digitFacts,
      { line: 6, column: 13, path: 'split.fraction' },
      'the forget set is empty: 0.00001 of 1258 training samples rounds to 0; raise the fraction, or give a count',
    ],
    [
      'an empty retained set by fraction',
      edited('kind: class\n  classes: [3]', 'kind: random\n  fraction: 0.99999'),
      digitFacts,
      { line: 6, column: 13, path: 'split.fraction' },
      'the retained set is empty: 1258 of 1258 training samples are to be forgotten; expected at most 1257',
    ],
    [
      'an empty retained set by count',
      edited('kind: class\n  classes: [3]', 'kind: random\n  count: 1258'),
      digitFacts,
      { line: 6, column: 10, path: 'split.count' },
      'the retained set is empty: 1258 of 1258 training samples are to be forgotten; expected at most 1257',
    ],
    [
      'more of a class than there is',
      edited('kind: class\n  classes: [3]', 'kind: class-fraction\n  classes: [3]\n  count: 184'),
      digitFacts,
      { line: 7, column: 10, path: 'split.count' },
      'the classes have 183 samples, those held out included, and 184 are to be forgotten; lower the count, or name more classes',
    ],
    [
      'a share of a class that is none',
      edited('kind: class\n  classes: [3]', 'kind: class-fraction\n  classes: [3]\n  fraction: 0.001'),
      digitFacts,
      { line: 7, column: 13, path: 'split.fraction' },
      'the forget set is empty: 0.001 of some 128 training samples rounds to 0; raise the fraction, or give a count',
    ],
    [
      'a part of a class that the data lacks',
      edited('kind: class\n  classes: [3]', 'kind: class-fraction\n  classes: [10]\n  count: 4'),
      digitFacts,
      { line: 6, column: 13, path: 'split.classes[0]' },
      'digits has no class 10; its classes are 0 to 9: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9',
    ],
    [
      'an empty retained set by a share of every class',
      edited(
        'kind: class\n  classes: [3]',
        'kind: class-fraction\n  classes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n  fraction: 0.9999',
      ),
      digitFacts,
      { line: 7, column: 13, path: 'split.fraction' },
      'the retained set is empty: 1258 of 1258 training samples are to be forgotten; expected at most 1257',
    ],
    [
      'an empty retained set by hardness',
      edited('kind: class\n  classes: [3]', 'kind: hard\n  by: lowest-loss\n  count: 1258'),
      digitFacts,
      { line: 7, column: 10, path: 'split.count' },
      'the retained set is empty: 1258 of 1258 training samples are to be forgotten; expected at most 1257',
    ],
    [
      'a hard split of several seeds',
      edited('kind: class\n  classes: [3]', 'kind: hard\n  by: lowest-loss\n  count: 9\nseeds: 3'),
      digitFacts,
      { line: 8, column: 8, path: 'seeds' },
      'a hard split is what the original of one seed makes of it, and there are 3 seeds; leave seeds out, or give the samples that one run forgot as indices',
    ],
    [
      'no sample left to train on',
      edited('name: digits', 'name: digits\n  test: 0.9999'),
      digitFacts,
      { line: 2, column: 1, path: 'data' },
      'only 0 of 1797 samples are left for training; lower the share that is held out',
    ],
    [
      'a test set that cannot be halved',
      edited('name: digits', 'name: digits\n  test: 0.0006'),
      digitFacts,
      { line: 4, column: 9, path: 'data.test' },
      'only 1 test samples are not of a forgotten class; expected at least 2: half of them trains the attack, the other half is scored',
    ],
    [
      'a crop that may miss the image',
      edited('epochs: 5', 'epochs: 5\n  augment: { crop: 8 }'),
      digitFacts,
      { line: 12, column: 20, path: 'training.augment.crop' },
      "a padding of 8 pixels lets a crop of digits's 8×8 images show nothing of them; expected at most 7",
    ],
    [
      'a group of an optimizer that names no layer',
      edited('epochs: 5', `epochs: 5\n  optimizer: ${grouped('linear1, haed')}`),
      digitFacts,
      { line: 12, column: 75, path: 'training.optimizer.groups[0].layers[1]' },
      '"haed" matches no layer; the layers with parameters are linear1, linear2, head',
    ],
    [
      'a group of a method that names layers without parameters',
      edited('rank: 4', `rank: 4\n    optimizer: ${grouped("'relu*'")}`),
      digitFacts,
      { line: 16, column: 68, path: 'methods[1].optimizer.groups[0].layers[0]' },
      '"relu*" matches only layers without parameters (relu1 is relu); the layers with parameters are linear1, linear2, head',
    ],
    [
      'images that are too small for the model',
      edited('name: mlp\n  hidden: [32, 16]', 'name: airbench').replace(/ {2}- method: rfa[^]*/, ''),
      digitFacts,
      { line: 8, column: 9, path: 'model.name' },
      "airbench needs images of at least 25×25 pixels, since poolings leave nothing of smaller ones, and digits's are 8×8; choose another model",
    ],
    [
      'Muon for a model without convolutions',
      edited(
        'epochs: 5',
        'epochs: 5\n  optimizer: { name: muon, learningRate: 0.1, others: { learningRate: 1 } }',
      ),
      digitFacts,
      { line: 12, column: 22, path: 'training.optimizer.name' },
      'muon changes the kernels of convolutions, and the model has none; choose adam or sgd, or a model with convolutions',
    ],
  ])('%s', (_, text, facts, place, message) => {
    expect(checkProblems(text, facts)).toEqual([{ file: 'a.yaml', ...place, message }])
  })

  test('an empty retained set: every class forgotten', () => {
    const text = cifar(edited('[3]', '[0, 1, 2, 3, 4, 5, 7, 8, 9]'))
    expect(checkProblems(text, cifarFacts)).toContainEqual({
      file: 'a.yaml',
      line: 6,
      column: 3,
      path: 'split.classes',
      message: 'the retained set is empty: every class that the data has is to be forgotten; leave one out',
    })
  })

  test.each([
    ['of a class', sample, undefined],
    ['without validation samples', edited('kind: class\n  classes: [3]', 'kind: random\n  count: 5'), 0],
    [
      'of too small a share',
      edited('kind: class\n  classes: [3]', 'kind: random\n  count: 5').replace(
        'name: digits',
        'name: digits\n  validation: 1e-4',
      ),
      1e-4,
    ],
  ])('an unseen sample %s', (_, text, share) => {
    for (const [target, options] of [
      ['unseen-neighbour', ''],
      ['unseen-margin', '\n    align: [head]'],
    ] as const) {
      const wanted = text.replace('rank: 4', `target: ${target}${options}`)
      expect(checkProblems(wanted)).toMatchObject([
        {
          path: 'methods[1].target',
          message:
            share === undefined
              ? `${target} leaves a forgotten sample in its class, and the split forgets whole classes; choose another target`
              : `${target} needs samples that no model trains on, and data.validation (${share}) sets none apart; give it a share such as 0.1, or choose another target`,
        },
      ])
      if (share !== undefined) expect(checkProblems(wanted, digitFacts, 'data.validation=0.1')).toEqual([])
    }
  })

  test('what rfa asks of layers that are not aligned', () => {
    const random = edited('kind: class\n  classes: [3]', 'kind: random\n  count: 5').replace(
      'name: digits',
      'name: digits\n  validation: 0.1',
    )
    const problems = (options: readonly string[], layers = "['linear*', head]") =>
      checkProblems(
        random.replace('rank: 4', ['rank: 4', ...options].join('\n    ')).replace("['linear*']", layers),
      )
    expect(problems(['target: unseen-margin'])).toMatchObject([
      {
        path: 'methods[1].target',
        message: expect.stringMatching(
          /^unseen-margin says what the logits are to be.* set align: \[head\]$/,
        ) as unknown,
      },
    ])
    const solved = ['target: unseen-margin', 'align: [head]', 'start: closed-form']
    expect(problems(solved)).toMatchObject([
      {
        path: 'methods[1].target',
        message: expect.stringContaining('the closed form aligns what it adapts') as unknown,
      },
    ])
    expect(problems(solved, '[head]')).toEqual([])
    expect(problems(['distance: kl', 'align: [linear1]'])).toMatchObject([{ path: 'methods[1].distance' }])
    expect(problems(['distance: kl', 'weights: { linear1: 0.5, "hea*": 2 }'])).toEqual([])
    expect(problems(['weights: { lin: 0.5 }'])).toMatchObject([
      {
        path: 'methods[1].weights.lin',
        message: expect.stringContaining('"lin" matches no aligned layer') as unknown,
      },
    ])
  })

  test('a stopping rule without validation samples, or without a look', () => {
    const stop = (options: string) => sample.replace('rank: 4', `stop: { rule: unseen-accuracy${options} }`)
    expect(checkProblems(stop(''))).toMatchObject([
      {
        path: 'methods[1].stop.rule',
        message: expect.stringContaining('needs samples that no model trains on') as unknown,
      },
    ])
    expect(checkProblems(stop(''), digitFacts, 'data.validation=0.1')).toEqual([])
    expect(checkProblems(stop(', every: 101'), digitFacts, 'data.validation=0.1')).toMatchObject([
      { path: 'methods[1].stop.every' },
    ])
  })

  test('no step from nowhere', () => {
    const none = sample.replace('rank: 4', 'steps: 0')
    expect(checkProblems(none)).toMatchObject([
      { path: 'methods[1].steps', message: expect.stringContaining('set start: closed-form') as unknown },
    ])
    expect(checkProblems(sample.replace('rank: 4', 'steps: 0\n    start: closed-form'))).toEqual([])
  })

  test('methods that need another class', () => {
    const one = { ...cifarFacts, train: cifarFacts.train.map((count, i) => (i === 0 ? count : 0)) }
    const text = cifar(
      edited('kind: class\n  classes: [3]', 'kind: random\n  count: 5').replace(
        'rank: 4',
        'target: nearest-centroid',
      ),
    )
    expect(checkProblems(`${text}  - { method: random-label, epochs: 1 }\n`, one)).toMatchObject([
      {
        line: 15,
        column: 13,
        message: 'nearest-centroid needs at least 2 classes, and cifar10 has samples of 1',
      },
      {
        line: 17,
        column: 15,
        message: 'random-label needs at least 2 classes, and cifar10 has samples of 1',
      },
    ])
  })
})

describe('what does not fit the model is said with its place', () => {
  const resnet = (rest: string) =>
    cifar(edited('name: mlp\n  hidden: [32, 16]', 'name: resnet-cifar\n  depth: 8')).replace(
      "rank: 4\n    layers: ['linear*']",
      rest,
    )

  test.each([
    [
      'a rank above one layer',
      edited('rank: 4', 'rank: 20'),
      digitFacts,
      { line: 15, column: 11, path: 'methods[1].rank' },
      'rank 20 is above what these layers take: linear2 (at most 16); lower the rank to 16, or name only wider layers in "layers"',
    ],
    [
      'a rank above many layers',
      resnet('rank: 100'),
      cifarFacts,
      { line: 15, column: 11, path: 'methods[1].rank' },
      'rank 100 is above what these layers take: stem (at most 16), stage1.0.conv1 (at most 16), stage1.0.conv2 (at most 16), ' +
        'stage2.0.conv1 (at most 32), stage2.0.conv2 (at most 32) and 5 more; lower the rank to 10, or name only wider layers in "layers"',
    ],
    [
      'a pattern that matches no layer',
      edited("['linear*']", "['linear*', conv]"),
      digitFacts,
      { line: 16, column: 25, path: 'methods[1].layers[1]' },
      '"conv" matches no layer; LoRA adapts linear1, linear2, head',
    ],
    [
      'a pattern that matches only layers without weights',
      edited("['linear*']", "['relu?', 'relu*']"),
      digitFacts,
      { line: 16, column: 14, path: 'methods[1].layers[0]' },
      '"relu?" matches no layer; LoRA adapts linear1, linear2, head',
    ],
    [
      'aligned layers that do not exist',
      edited("layers: ['linear*']", 'align: [heads]'),
      digitFacts,
      { line: 16, column: 13, path: 'methods[1].align[0]' },
      '"heads" matches no layer; the layers are flatten, linear1, relu1, linear2, relu2, head',
    ],
    [
      'aligned layers that no adapter reaches',
      edited("layers: ['linear*']", 'layers: [head]\n    align: [relu*]'),
      digitFacts,
      { line: 17, column: 5, path: 'methods[1].align' },
      'every aligned layer comes before head, the first adapted one, so nothing that is learnt reaches it; align head or a later layer',
    ],
  ])('%s', (_, text, facts, place, message) => {
    expect(checkProblems(text, facts)[0]).toEqual({ file: 'a.yaml', ...place, message })
  })

  test.each(['lora-random-label', 'lora-neggrad-plus'])('%s: its layers and its rank too', (method) => {
    const text = `${sample}  - { method: ${method}, epochs: 1, rank: 17, layers: [linear*, conv] }\n`
    expect(checkProblems(text).map(({ path, message }) => [path, message])).toEqual([
      ['methods[2].layers[1]', '"conv" matches no layer; LoRA adapts linear1, linear2, head'],
      [
        'methods[2].rank',
        'rank 17 is above what these layers take: linear2 (at most 16); lower the rank to 16, or name only wider layers in "layers"',
      ],
    ])
  })

  test('a pattern that matches only layers that LoRA does not adapt', () => {
    expect(checkProblems(edited("'linear*'", "'relu*'"))[0]?.message).toBe(
      '"relu*" matches no layer that LoRA adapts (relu1 is relu); it adapts linear1, linear2, head',
    )
  })

  test('the largest rank, and layers inside residual blocks', () => {
    expect(checkProblems(edited('rank: 4', 'rank: 16'))).toEqual([])
    expect(
      checkProblems(resnet("rank: 32\n    layers: ['stage2.*.conv*', stage3.0.shortcut]"), cifarFacts),
    ).toEqual([])
  })

  test('an override is named by its own text', () => {
    expect(checkProblems(sample, digitFacts, 'methods[1].rank=40')).toMatchObject([
      { file: '-S methods[1].rank=40', path: 'methods[1].rank' },
    ])
  })
})

describe('sizes', () => {
  test('every sample is on one side, and the shares are as asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 10 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (train, share, validation) => {
          const facts = { ...digitFacts, train, test: train.map(() => 0) }
          const total = train.reduce((a, b) => a + b, 0)
          const sizes = setSizes({ name: 'digits', test: share, validation }, facts)
          expect(sizes.train + sizes.validation + sizes.test).toBe(total)
          expect(Math.abs(sizes.test - share * total)).toBeLessThanOrEqual(0.5)
          expect(Math.min(sizes.train, sizes.validation, sizes.test)).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })

  test('a data set with test files keeps them', () => {
    const data = { name: 'cifar10' as const, train: ['a'], test: ['b'], validation: 0.1 }
    expect(setSizes(data, cifarFacts)).toEqual({
      train: 4050,
      validation: 450,
      test: 1000,
    })
  })

  test('how many a random split forgets', () => {
    expect(forgetCount({ fraction: 0.1 }, 1258)).toBe(126)
    expect(forgetCount({ count: 7 }, 1258)).toBe(7)
  })

  test('classes by index and name, in ascending order', () => {
    expect(resolveClasses({ kind: 'class', classes: ['truck', 0, 'cat'] }, cifarFacts)).toEqual([0, 3, 9])
    expect(() => resolveClasses({ kind: 'class', classes: ['lion'] }, cifarFacts)).toThrow(UserError)
  })
})

test('a share for testing is taken of any data set that gives one, and of no other', () => {
  const facts: DatasetFacts = { ...digitFacts, name: 'npz' }
  const data = (options: object) => specSchema.shape.data.parse({ name: 'npz', ...options })
  expect(setSizes(data({ test: 0.25, validation: 0.5 }), facts)).toEqual({
    train: 674,
    validation: 674,
    test: 449,
  })
  expect(setSizes(data({}), facts)).toEqual({ train: 1797, validation: 0, test: 0 })
  const parquet = (test: unknown) => specSchema.shape.data.parse({ name: 'parquet', test })
  expect(setSizes(parquet(0.5), facts).test).toBe(899)
  expect(setSizes(parquet(['a.parquet']), { ...facts, test: facts.train }).test).toBe(1797)
})
