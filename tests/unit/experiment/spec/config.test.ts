import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { located, parseConfig } from '../../../../experiment/spec/config.ts'
import { methodSchemas } from '../../../../experiment/spec/methods.ts'
import { datasetDefinitions } from '../../../../experiment/spec/data.ts'
import { configSchema } from '../../../../experiment/spec/spec.ts'
import { UserError } from '../../../../common/errors.ts'
import { edited, parseProblems, problemsOf, sample } from '../sample.ts'

const methodNames = [...methodSchemas.map(({ shape }) => shape.method.value), 'external']
const dataNames = datasetDefinitions.map(({ name }) => name)

const parse = (text: string, ...overrides: string[]) => parseConfig({ file: 'a.yaml', text, overrides })

describe('a right config', () => {
  test('becomes a spec with its defaults filled in, and settings apart', () => {
    const { spec, settings } = parse(`${sample}store: /tmp/store\ntracking: { uri: http://localhost:5000 }\n`)
    expect(spec.data).toEqual({ name: 'digits', test: 0.3, validation: 0 })
    expect(spec.gold).toEqual({ models: 2 })
    expect(spec.methods[1]).toMatchObject({ method: 'rfa', rank: 4, target: 'random-retained', steps: 100 })
    expect(spec).not.toHaveProperty('store')
    expect(settings).toEqual({ store: '/tmp/store', tracking: { uri: 'http://localhost:5000' } })
  })

  test('may use anchors, aliases and merge keys, each use its own copy', () => {
    const text = edited(
      "  - method: rfa\n    rank: 4\n    layers: ['linear*']",
      "  - &rfa\n    method: rfa\n    layers: &layers ['linear*']\n  - { <<: *rfa, label: wide, rank: 8, align: *layers }",
    )
    const { spec } = parse(text, 'methods[2].align[0]=head')
    expect(spec.methods[1]).toMatchObject({ rank: 4, layers: ['linear*'] })
    expect(spec.methods[2]).toMatchObject({ label: 'wide', rank: 8, layers: ['linear*'], align: ['head'] })
  })

  test('may begin with a byte order mark and end its lines as Windows does', () => {
    expect(parse(`\uFEFF${sample.replaceAll('\n', '\r\n')}`).spec).toEqual(parse(sample).spec)
  })
})

describe('what is wrong is said with its place', () => {
  const cases: readonly [string, string, { line: number; column: number; path?: string }, string][] = [
    [
      'an unknown key',
      edited('  epochs: 5', '  epochs: 5\n  optimizer: { name: sgd, lerningRate: 1, learningRate: 0.1 }'),
      { line: 12, column: 27, path: 'training.optimizer.lerningRate' },
      'unknown key "lerningRate"; did you mean "learningRate"?',
    ],
    [
      'an unknown key in other spelling',
      edited('  epochs: 5', '  epochs: 5\n  label_smoothing: 0.1'),
      { line: 12, column: 3, path: 'training.label_smoothing' },
      'unknown key "label_smoothing"; did you mean "labelSmoothing"?',
    ],
    [
      'an unknown key that is near none',
      edited('  - method: original', '  - method: original\n    zzz: 1'),
      { line: 14, column: 5, path: 'methods[0].zzz' },
      'unknown key "zzz"; known: method, label',
    ],
    [
      'an unknown key at the top',
      `${sample}sed: {}\n`,
      { line: 17, column: 1, path: 'sed' },
      'unknown key "sed"; did you mean "seed"?',
    ],
    [
      'a key that is no name',
      `${sample}__proto__: {}\n`,
      { line: 17, column: 1 },
      `unknown key "__proto__"; known: ${Object.keys(configSchema.shape).join(', ')}`,
    ],
    [
      'a wrong type',
      edited('epochs: 5', 'epochs: many'),
      { line: 11, column: 11, path: 'training.epochs' },
      'training.epochs: expected a number, found text "many"',
    ],
    [
      'a fraction for a whole number',
      edited('rank: 4', 'rank: 2.5'),
      { line: 15, column: 11, path: 'methods[1].rank' },
      'methods[1].rank: expected a whole number, found 2.5',
    ],
    [
      'nothing for a mapping',
      `${sample}gold:\n`,
      { line: 17, column: 6, path: 'gold' },
      'gold: expected "none" or a mapping (key: value), found nothing',
    ],
    [
      'a mapping for a list',
      edited("layers: ['linear*']", 'layers: { a: 1 }'),
      { line: 16, column: 5, path: 'methods[1].layers' },
      'methods[1].layers: expected a list, found a mapping',
    ],
    [
      'text for true or false',
      edited('  epochs: 5', '  epochs: 5\n  augment: { flip: "yes" }'),
      { line: 12, column: 20, path: 'training.augment.flip' },
      'training.augment.flip: expected true or false or "alternating", found text "yes"',
    ],
    [
      'neither index nor name',
      edited('[3]', '[3, true]'),
      { line: 6, column: 16, path: 'split.classes[1]' },
      'split.classes[1]: expected a whole number or text, found true',
    ],
    [
      'rank 0',
      edited('rank: 4', 'rank: 0'),
      { line: 15, column: 11, path: 'methods[1].rank' },
      'methods[1].rank: expected a number at least 1, found 0',
    ],
    [
      'a seed beyond the safe integers, once',
      `${sample}seed: { data: 1e300 }\n`,
      { line: 17, column: 15, path: 'seed.data' },
      'seed.data: expected a number at most 4294967295, found 1e+300',
    ],
    [
      'no number',
      edited('  epochs: 5', '  epochs: 5\n  warmupEpochs: .nan'),
      { line: 12, column: 17, path: 'training.warmupEpochs' },
      'training.warmupEpochs: expected a number, found NaN',
    ],
    [
      'an empty list',
      edited('[32, 16]', '[]'),
      { line: 9, column: 3, path: 'model.hidden' },
      'model.hidden: expected a list of at least 1 entry, found 0',
    ],
    [
      'a bad name',
      edited('name: sample', 'name: My Run'),
      { line: 1, column: 7, path: 'name' },
      'name: expected lower-case letters, digits and hyphens only, 63 at most, found text "My Run"',
    ],
    [
      'no URL',
      `${sample}tracking:\n  uri: localhost\n`,
      { line: 18, column: 8, path: 'tracking.uri' },
      'tracking.uri: expected an http:// or https:// URL, found text "localhost"',
    ],
    [
      'a password in a URL, which is not repeated',
      `${sample}tracking:\n  uri: http://me:hunter2@localhost\n`,
      { line: 18, column: 8, path: 'tracking.uri' },
      'tracking.uri: the URL holds a user or a password, and it is recorded with the run; give them to the workers instead, as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD or as MLFLOW_TRACKING_TOKEN',
    ],
    [
      'a password in what is no URL of a server, which is not repeated either',
      `${sample}tracking:\n  uri: ftp://me:hunter2@localhost\n`,
      { line: 18, column: 8, path: 'tracking.uri' },
      'tracking.uri: expected an http:// or https:// URL, found text "ftp://…@localhost"',
    ],
    [
      'an unknown method',
      edited('method: original', 'method: fintune'),
      { line: 13, column: 13, path: 'methods[0].method' },
      'unknown method "fintune"; did you mean "finetune"?',
    ],
    [
      'an unknown method that is near none',
      edited('method: original', 'method: amnesia'),
      { line: 13, column: 13, path: 'methods[0].method' },
      `unknown method "amnesia"; known: ${methodNames.join(', ')}`,
    ],
    [
      'an unknown data set',
      edited('name: digits', 'name: cifar-10'),
      { line: 3, column: 9, path: 'data.name' },
      'unknown data set "cifar-10"; did you mean "cifar10"?',
    ],
    [
      'an unknown target',
      edited('rank: 4', 'target: retained-meen'),
      { line: 15, column: 13, path: 'methods[1].target' },
      'unknown target "retained-meen"; did you mean "retained-mean"?',
    ],
    [
      'an unknown depth',
      edited('name: mlp\n  hidden: [32, 16]', 'name: resnet-cifar\n  depth: resnet19'),
      { line: 9, column: 10, path: 'model.depth' },
      'model.depth: expected "resnet18" or a whole number, found text "resnet19"',
    ],
    [
      'a depth that is not 6n + 2',
      edited('name: mlp\n  hidden: [32, 16]', 'name: resnet-cifar\n  depth: 18'),
      { line: 9, column: 10, path: 'model.depth' },
      'model.depth: expected 6n + 2 (8, 14, 20, … 56) or resnet18, found 18; the nearest are 14 and 20',
    ],
    [
      'a misspelt discriminator',
      edited('kind: class', 'kin: class'),
      { line: 5, column: 3, path: 'split.kin' },
      'unknown key "kin"; did you mean "kind"?',
    ],
    [
      'a missing discriminator',
      edited('name: digits', 'test: 0.2'),
      { line: 2, column: 1, path: 'data.name' },
      `data.name is missing: expected one of ${dataNames.join(', ')}`,
    ],
    [
      'a missing key',
      edited('epochs: 5', 'batchSize: 5'),
      { line: 10, column: 1, path: 'training.epochs' },
      'training.epochs is missing: expected a number',
    ],
    [
      'a missing key of a list entry',
      edited('method: original', 'method: finetune'),
      { line: 13, column: 5, path: 'methods[0].epochs' },
      'methods[0].epochs is missing: expected a number',
    ],
    [
      'a duplicate key',
      edited('  hidden: [32, 16]', '  hidden: [32]\n  hidden: [16]'),
      { line: 10, column: 3 },
      'duplicate key "hidden": it is given above already; remove one of the two',
    ],
    [
      'a random split without a size',
      edited('kind: class\n  classes: [3]', 'kind: random'),
      { line: 4, column: 1, path: 'split' },
      'a random split takes either fraction or count; neither given',
    ],
    [
      'a random split of two sizes',
      edited('kind: class\n  classes: [3]', 'kind: random\n  fraction: 0.1\n  count: 5'),
      { line: 4, column: 1, path: 'split' },
      'a random split takes either fraction or count; both given',
    ],
    [
      'a part of a class without a size',
      edited('kind: class\n  classes: [3]', 'kind: class-fraction\n  classes: [3]'),
      { line: 4, column: 1, path: 'split' },
      'a class-fraction split takes either fraction or count; neither given',
    ],
    [
      'a hard split without a size',
      edited('kind: class\n  classes: [3]', 'kind: hard\n  by: lowest-loss'),
      { line: 4, column: 1, path: 'split' },
      'a hard split takes either fraction or count; neither given',
    ],
    [
      'hard by nobody knows what',
      edited('kind: class\n  classes: [3]', 'kind: hard\n  by: highest-los\n  count: 3'),
      { line: 6, column: 7, path: 'split.by' },
      'unknown by "highest-los"; did you mean "highest-loss"?',
    ],
    [
      'indices given twice over',
      edited('kind: class\n  classes: [3]', 'kind: indices\n  indices: [3]\n  file: forget.txt'),
      { line: 4, column: 1, path: 'split' },
      'an indices split takes either indices or file; both given',
    ],
    [
      'one index twice',
      edited('kind: class\n  classes: [3]', 'kind: indices\n  indices: [3, 5, 3]'),
      { line: 6, column: 19, path: 'split.indices[2]' },
      'sample 3 is listed twice; remove one',
    ],
    [
      'the digest of no file',
      edited('kind: class\n  classes: [3]', `kind: indices\n  indices: [3]\n  sha256: '${'0'.repeat(64)}'`),
      { line: 7, column: 11, path: 'split.sha256' },
      'split.sha256 is that of a file, and no file is given; remove it',
    ],
    [
      'two classes called alike',
      edited('  name: digits', '  name: npz\n  test: 0.2\n  classes: [a, b, a]'),
      { line: 5, column: 19, path: 'data.classes[2]' },
      '"a" is the name of class 0 already; give each its own',
    ],
    [
      'one class twice',
      edited('[3]', '[3, 4, 3]'),
      { line: 6, column: 19, path: 'split.classes[2]' },
      'class 3 is listed twice; remove one',
    ],
    [
      'two rows of one name',
      `${sample}  - method: rfa\n`,
      { line: 17, column: 13, path: 'methods[2].method' },
      'methods[1] and methods[2] are both called "rfa" in tables; give one a label',
    ],
    [
      'two rows of one label',
      edited('- method: original', '- { method: original, label: rfa }'),
      { line: 14, column: 13, path: 'methods[1].method' },
      'methods[0] and methods[1] are both called "rfa" in tables; give one a label',
    ],
    [
      'a warm-up as long as the training',
      edited('epochs: 5', 'epochs: 5\n  warmupEpochs: 5'),
      { line: 12, column: 17, path: 'training.warmupEpochs' },
      'training.warmupEpochs: expected less than the 5 epochs of the training, found 5',
    ],
    [
      'fewer retained samples than a batch takes',
      edited('rank: 4', 'retainedSamples: 64'),
      { line: 15, column: 22, path: 'methods[1].retainedSamples' },
      'retainedSamples (64) is below retainedBatch (192): a batch is drawn from them; raise the one or lower the other',
    ],
    [
      'a test file that is a training file too',
      edited('name: digits', 'name: cifar10\n  test: [data_batch_5.bin]'),
      { line: 4, column: 10, path: 'data.test[0]' },
      '"data_batch_5.bin" is listed twice: it is data.train[4] already',
    ],
    [
      'a path for a file name',
      edited('name: digits', 'name: cifar10\n  test: [/data/a.bin]'),
      { line: 4, column: 10, path: 'data.test[0]' },
      '"/data/a.bin" is a path; give the file\'s name, and its directory as dataDirectory',
    ],
  ]

  test.each(cases)('%s', (_, text, place, message) => {
    expect(parseProblems(text)).toEqual([expect.objectContaining({ file: 'a.yaml', ...place, message })])
  })

  test('in the text that an alias stands for', () => {
    const text = edited('[3]', '&x [3, -1]') + 'attack: { samples: 5 }\n'
    expect(parseProblems(text.replace('&x [3, -1]', '[3]\nseed: &s { data: -1 }')).at(0)).toMatchObject({
      line: 7,
      column: 18,
      path: 'seed.data',
    })
    const merged = edited(
      '  - method: original',
      '  - &o { method: original, labl: a }\n  - { <<: *o, label: b }',
    )
    expect(parseProblems(merged).map(({ line, column, path }) => ({ line, column, path }))).toEqual([
      { line: 13, column: 28, path: 'methods[0].labl' },
      { line: 13, column: 28, path: 'methods[1].labl' },
    ])
  })

  test('all of it at once, in the order of the file', () => {
    const text = edited('epochs: 5', 'epochs: 0\n  epoch: 1')
      .replace('rank: 4', 'rank: 0')
      .replace('kind: class', 'kind: random')
      .replace('  hidden: [32, 16]', '  hidden: [32]\n  hidden: [16]')
      .replace('- method: original', '- method: original\n  - method: original')
    expect(parseProblems(text).map(({ line, column }) => [line, column])).toEqual([
      [6, 3],
      [10, 3],
      [12, 11],
      [13, 3],
      [18, 11],
    ])
  })

  test('as editors link it', () => {
    expect(() => parse(edited('rank: 4', 'rank: 0'))).toThrow(
      'a.yaml:15:11: methods[1].rank: expected a number at least 1, found 0',
    )
  })
})

describe('what is not YAML, or no config, is refused', () => {
  test.each([
    ['an open list', 'name: [a\ndata: b', 2, 1],
    ['a tab', 'data:\n\tname: digits', 2, 1],
    ['an open quotation', 'name: "a', 1, 9],
    ['a tag that nobody knows', 'name: !python/object a', 1, 7],
    ['a second document', 'a: 1\n---\nb: 1', 2, 1],
    ['a list as a key', '? [a]\n: 1', 1, 3],
  ])('%s', (_, text, line, column) => {
    expect(parseProblems(text)[0]).toMatchObject({ file: 'a.yaml', line, column })
  })

  test('an empty file', () => {
    for (const text of ['', '# nothing\n', 'null'])
      expect(parseProblems(text)[0]?.message).toMatch(/^the config is empty; it needs name, data/)
  })

  test('a list, a number', () => {
    expect(parseProblems('- a')[0]?.message).toBe('the config: expected a mapping (key: value), found a list')
    expect(parseProblems('3')[0]?.message).toBe('the config: expected a mapping (key: value), found 3')
  })

  test('an alias of nothing, a merge of no mapping', () => {
    const [unresolved] = parseProblems('name: a\nb: &b 1\nc: [*b, *nowhere]')
    expect(unresolved).toMatchObject({ line: 3, column: 9 })
    expect(unresolved?.message).toMatch(/Unresolved alias.*nowhere/)
    expect(parseProblems('<<: 3')[0]?.message).toMatch(/Merge sources must be maps/)
  })

  test('aliases that multiply beyond all bounds', () => {
    const levels = Array.from({ length: 12 }, (_, i) =>
      i === 0
        ? 'a0: &a0 [x, x]'
        : `a${i}: &a${i} [${Array(9)
            .fill(`*a${i - 1}`)
            .join(', ')}]`,
    )
    expect(parseProblems(levels.join('\n'))[0]).toMatchObject({
      line: 12,
      message: expect.stringContaining('aliases of aliases multiply') as string,
    })
  })

  test('an alias of itself', () => {
    expect(parseProblems('name: &a [*a]').map(({ path }) => path)).toContain('name')
  })

  test.each([
    ['[', '['.repeat(5000)],
    ['{a: ', `a: ${'{a: '.repeat(5000)}`],
    ['- ', '- '.repeat(5000)],
    ['indentation', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
  ])('nesting without end: %s', (_, text) => {
    const [problem] = parseProblems(`# first\n\n${text}`)
    expect(problem?.message).toMatch(/nested more than 200 levels deep/)
    expect(problem?.line).toBe(text.includes('\n') ? 203 : 3)
  })

  test.each([
    ['methods[1].weights', edited("layers: ['linear*']", "weights: { 'linear*': 1, __proto__: 2 }"), 16],
    ['data', edited('  name: digits', '  name: digits\n  __proto__: { a: 1 }'), 4],
    ['beyond an alias', `x: &x [{ __proto__: 1 }]\nname: *x`, 1],
  ])('the key __proto__, wherever it stands: %s', (_, text, line) => {
    expect(
      parseProblems(text).filter(({ message }) => message.startsWith('unknown key "__proto__"')),
    ).toMatchObject([{ line }])
  })

  test('a file of megabytes', () => {
    expect(parseProblems('x'.repeat(2 ** 21))[0]?.message).toMatch(/2097152 characters/)
  })

  test('any text: a spec or a UserError, nothing else', () => {
    const shape = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom('name', 'digits', 'class', 'rfa', 1, 0, -1, 0.5, null, true, NaN, 'x'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom('name', 'kind', 'method', 'classes', 'epochs', 'label', 'rank', 'toString'),
          tie('tree'),
          { maxKeys: 4 },
        ),
      ),
    }))
    const config = fc.record(
      { name: shape.tree, data: shape.tree, split: shape.tree, model: shape.tree, methods: shape.tree },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          config.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const problems = parseProblems(text)
          expect(problems.length).toBeGreaterThan(0)
          for (const { message } of problems) expect(message).not.toMatch(/undefined|\[object|invalid_/)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('overrides', () => {
  test('replace what is there, and add what may be there', () => {
    const { spec, settings } = parse(
      sample,
      'methods[1].rank=8',
      'split={kind: random, fraction: 0.1}',
      'gold.models=3',
      'store=file:///tmp/x',
      'training.optimizer={name: sgd, learningRate: 0.1}',
      'training.optimizer.momentum=0.5',
      'methods[1].rank=6',
    )
    expect(spec.methods[1]).toMatchObject({ rank: 6 })
    expect(spec.split).toEqual({ kind: 'random', fraction: 0.1 })
    expect(spec.gold.models).toBe(3)
    expect(settings.store).toBe('file:///tmp/x')
    expect(spec.training?.optimizer).toMatchObject({ name: 'sgd', momentum: 0.5 })
  })

  test.each([
    ['rank', 'expected path=value, such as methods[0].rank=8'],
    ['=3', 'expected path=value, such as methods[0].rank=8'],
    [
      'a..b=3',
      '"a..b" is not a path; write keys with dots and list entries with [n], such as methods[0].rank',
    ],
    ['methods[x].rank=3', 'methods has no row "x"; its rows: original, rfa'],
    ['methods[2].rank=3', 'methods has 2 entries, counted from [0]; there is no [2]'],
    ['methods.rank=3', 'methods is a list; name one of its entries, such as methods[0].rank'],
    ['name.x=3', 'name is not a mapping, so it has no key "x"'],
    ['data[0]=3', 'data is not a list, so it has no entry [0]'],
    ['methods[1].rank=0', 'methods[1].rank: expected a number at least 1, found 0'],
    ['methods[1].rnk=3', 'unknown key "rnk"; did you mean "rank"?'],
    ['methods[1]={method: rfa, rank: x}', 'methods[1].rank: expected a whole number, found text "x"'],
    ['training={batchSize: 8}', 'training.epochs is missing: expected a number'],
    ['training=', 'training: expected a mapping (key: value), found nothing'],
  ])('-S %s is refused by its own text', (override, message) => {
    expect(parseProblems(sample, override)).toEqual([
      expect.objectContaining({ file: `-S ${override}`, message }),
    ])
    expect(parseProblems(sample, override)[0]).not.toHaveProperty('line')
  })

  test('a value that is not YAML', () => {
    expect(parseProblems(sample, 'methods[1].rank=[1')[0]).toMatchObject({
      file: '-S methods[1].rank=[1',
      message: expect.stringMatching(/^the value is not valid YAML/) as string,
    })
  })

  test('mend what the file has wrong', () => {
    expect(parseProblems(edited('rank: 4', 'rank: 0'), 'methods[1].rank=4')).toEqual([])
  })
})

describe('locate', () => {
  const { locate } = parse(sample, 'gold.models=3')

  test('knows values, keys of collections, list entries, and what encloses what is not there', () => {
    expect(locate(['methods', 1, 'rank'])).toEqual({ file: 'a.yaml', line: 15, column: 11 })
    expect(locate(['methods', 1, 'layers'])).toEqual({ file: 'a.yaml', line: 16, column: 5 })
    expect(locate(['methods', 1])).toEqual({ file: 'a.yaml', line: 14, column: 5 })
    expect(locate(['data', 'test'])).toEqual({ file: 'a.yaml', line: 2, column: 1 })
    expect(locate(['dataDirectory'])).toEqual({ file: 'a.yaml', line: 1, column: 1 })
    expect(locate(['gold', 'models'])).toEqual({ file: '-S gold.models=3' })
  })

  test('places problems that only know their path', () => {
    const error = new UserError([
      { message: 'a', path: 'methods[1].rank' },
      { message: 'b', path: 'name', file: 'other.csv', line: 9 },
      { message: 'c' },
    ])
    expect(located(error, locate).problems).toEqual([
      { message: 'a', path: 'methods[1].rank', file: 'a.yaml', line: 15, column: 11 },
      { message: 'b', path: 'name', file: 'other.csv', line: 9 },
      { message: 'c' },
    ])
  })

  test('says of every scalar where it is', () => {
    const lines = sample.split('\n')
    const { spec } = parse(sample)
    expect(problemsOf(() => spec)).toEqual([])
    for (const [path, value] of [
      [['name'], 'sample'],
      [['split', 'classes', 0], '3'],
      [['model', 'hidden', 1], '16'],
      [['training', 'epochs'], '5'],
      [['methods', 1, 'method'], 'rfa'],
    ] as const) {
      const { line = 0, column = 0 } = locate(path)
      expect(lines[line - 1]?.slice(column - 1, column - 1 + value.length)).toBe(value)
    }
  })
})

describe('a mistake in an override names it', () => {
  test.each([
    ['trainng.epochs=3', 'unknown key "trainng"; did you mean "training"?'],
    ['training.epochs=x', 'training.epochs: expected a number, found text "x"'],
    ['training.epoch=1', 'unknown key "epoch"; did you mean "epochs"?'],
    ['methods[1].optimizer.name=x', 'unknown optimizer "x"'],
    ['a.b.c=1', 'unknown key "a"'],
    ['methods[9].rank=1', 'methods has 2 entries, counted from [0]; there is no [9]'],
    ['__proto__.x=1', 'unknown key "__proto__"'],
  ])('%s', (override, message) => {
    try {
      parseConfig({ file: 'a.yaml', text: sample, overrides: [override] })
    } catch (error) {
      const [problem] = (error as UserError).problems
      expect(problem?.file).toBe(`-S ${override}`)
      expect(problem?.message).toContain(message)
      return
    }
    expect.unreachable()
  })
})
