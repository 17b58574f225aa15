import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { prepare } from '../../../../cli/launch/prepare.ts'
import { readConfig } from '../../../../cli/launch/read-config.ts'
import { specValue } from '../../../../experiment/spec/spec-value.ts'
import { attachmentsOf } from '../../../../experiment/plan/attachments.ts'
import { testDirectory } from '../../../support/directories.ts'
import {
  configOf,
  configWith,
  lineReader,
  lineSamples,
  scaledMargin,
  scaledMean,
  smallNet,
  unchanged,
  writeFiles,
} from '../../../support/plugins.ts'

let folder: string
beforeEach(() => {
  folder = testDirectory()
  vi.stubEnv('ZEROSHIFT_CACHE', join(folder, 'cache'))
  return () => {
    vi.unstubAllEnvs()
  }
})

/** Reads a config with these rows, beside the plug-in `unchanged` and other files. */
async function read(
  rows: readonly string[],
  files: Readonly<Record<string, string>> = {},
  overrides: readonly string[] = [],
) {
  writeFiles(folder, { 'a.yaml': configWith(...rows), 'unchanged.ts': unchanged, ...files })
  return readConfig({ config: join(folder, 'a.yaml'), overrides })
}

async function planned(...given: Parameters<typeof read>) {
  const parsed = await read(...given)
  const source = { config: join(folder, 'a.yaml'), overrides: [], store: join(folder, 'store') }
  const { plan } = (await prepare(source, parsed)).run
  return { plan, unlearn: plan.candidates[0]?.unlearn }
}

test('a row that names a module has its options with their defaults, and the digest of its bundle', async () => {
  const { spec } = await read(['{ method: ./unchanged.ts, strength: 3 }'])
  expect(spec.methods).toEqual([
    {
      method: 'plugin',
      label: 'unchanged',
      plugin: {
        name: 'unchanged',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        bytes: expect.any(Number) as number,
        relabels: false,
      },
      options: { strength: 3, mode: 'a', low: 0, high: 1 },
    },
  ])
})

test('a row may name a package of the folder of the config, and a module on the command line', async () => {
  const { spec } = await read(['method: forget-kit/unchanged', '{ method: finetune, epochs: 1 }'], {
    'node_modules/forget-kit/package.json':
      '{ "name": "forget-kit", "type": "module", "exports": { "./unchanged": "./src/unchanged.js" } }',
    'node_modules/forget-kit/src/unchanged.js': unchanged,
  })
  const other = await read([`{ method: finetune, label: other, epochs: 1 }`], {}, [
    `methods[0]={ method: ${join(folder, 'unchanged.ts')}, label: other, mode: b }`,
  ])
  const [first] = spec.methods
  const [second] = other.spec.methods
  expect(first).toMatchObject({ method: 'plugin', label: 'unchanged' })
  expect(second).toMatchObject({ method: 'plugin', label: 'other', options: { mode: 'b' } })
})

test.each([
  [
    '{ method: ./unchanged.ts, strength: -1 }',
    ':8:41: methods[0].strength: expected a number at least 0, found -1',
  ],
  ['{ method: ./unchanged.ts, mode: c }', ':8:37: unknown mode "c"; did you mean "a"?'],
  ['{ method: ./unchanged.ts, strenght: 1 }', ':8:31: unknown key "strenght"; did you mean "strength"?'],
  ['{ method: ./unchanged.ts, high: -1 }', ':8:37: high: expected a number above low, found -1'],
  ['{ method: ./unchanged.ts, label: "?" }', ':8:38: methods[0].label: expected letters'],
  [
    '{ method: ./unchanged.ts, tune: { space: { strength: { choices: [1, -1] } } } }',
    ': strength: expected a number at least 0, found -1',
  ],
  ['method: ./missing.ts', ':8:13: FOLDER/missing.ts: there is no such file; expected a module'],
  ['method: ./broken.ts', ':8:13: FOLDER/broken.ts cannot be bundled: broken.ts:1:17: '],
  ['method: ./throws.ts', ':8:13: FOLDER/throws.ts cannot be loaded: not today'],
  [
    'method: ./early.ts',
    "early.ts cannot be loaded: tf.scalar of 'zeroshift' is called without TensorFlow: while the module is loaded",
  ],
  [
    'method: ./empty.ts',
    'empty.ts: the default export is no plug-in: it has none of the properties unlearn, score',
  ],
  [
    'method: ./reserved.ts',
    'reserved.ts: the method has an option "label", which every config of a method has already',
  ],
  ['method: ./date.ts', 'the plug-in dated turns its option day into a value that is not JSON'],
  ['method: finetun', ':8:13: unknown method "finetun"; did you mean "finetune"?'],
  ['method: plugin', ':8:13: unknown method "plugin"'],
])('%s is refused with its position', async (row, message) => {
  const files = {
    'broken.ts': 'export default {',
    'throws.ts': "throw new Error('not today')\nexport default 1",
    'early.ts': `import { tf } from 'zeroshift'\nexport default tf.scalar(1)`,
    'empty.ts': 'export default {}',
    'reserved.ts': unchanged.replace('strength:', "label: z.string().default('x'),\n      strength:"),
    'date.ts': unchanged
      .replace("'unchanged'", "'dated'")
      .replace(
        'strength:',
        "day: z.string().default('2026').transform((text) => new Date(text)),\n      strength:",
      ),
  }
  await expect(read([row], files)).rejects.toThrow(message.replace('FOLDER', folder))
})

/** Reads a config with a list of scores, beside the plug-ins `unchanged` and `scaledMargin`. */
async function readScores(scores: string, overrides: readonly string[] = []) {
  writeFiles(folder, {
    'a.yaml': configOf({ more: `attack: { scores: ${scores} }\n` }, 'method: retrain'),
    'unchanged.ts': unchanged,
    'margin.ts': scaledMargin,
    'named.ts': scaledMargin.replace("'scaled-margin'", "'loss'"),
    'half.ts': "export default { name: 'half', score: 1 }",
  })
  return readConfig({ config: join(folder, 'a.yaml'), overrides })
}

test('scores of plug-ins are in the spec, and in the keys of attacks alone', async () => {
  const parsed = await readScores('[{ score: ./margin.ts, scale: 2 }, { score: ./margin.ts, label: other }]')
  const { scores = [] } = parsed.spec.attack
  expect(scores).toMatchObject([
    { label: 'scaled-margin', plugin: { name: 'scaled-margin' }, options: { scale: 2 } },
    { label: 'other', options: { scale: 1 } },
  ])
  const source = { config: join(folder, 'a.yaml'), overrides: [], store: join(folder, 'store') }
  const { plan, spec } = (await prepare(source, parsed)).run
  const [plain] = (await planned(['method: retrain'])).plan.candidates
  const [candidate] = plan.candidates
  expect(candidate?.attack.params.scores).toEqual(scores)
  expect(candidate?.evaluate.key).toBe(plain?.evaluate.key)
  expect(candidate?.attack.key).not.toBe(plain?.attack.key)
  expect(attachmentsOf(plan)).toHaveLength(1)
  expect(specValue(spec, ['attack', 'scores', 0, 'scale'])).toBe(2)
  expect(specValue(spec, ['attack', 'scores', 0, 'score'])).toBe('scaled-margin')
})

test.each([
  [
    '[{ score: ./unchanged.ts }]',
    ':7:29: ./unchanged.ts defines a method, expected a score: a module whose default export is defineScore({ … })',
  ],
  ['[{ score: ./margin.ts, scale: 0 }]', ':7:49: attack.scores[0].scale: expected a number above 0, found 0'],
  ['[{ score: ./margin.ts, sclae: 1 }]', ':7:42: unknown key "sclae"; did you mean "scale"?'],
  ['[{ score: ./half.ts }]', 'half.ts: the default export is no complete definition of a score: about: '],
  [
    '[{ score: ./named.ts }]',
    ':7:29: two scores are called "loss" in tables; give this one a label of its own',
  ],
  ['[{ score: ./margin.ts }, { score: ./margin.ts }]', 'two scores are called "scaled-margin" in tables'],
  [
    '[{ score: entropy }]',
    ':7:29: attack.scores[0].score: expected the path of a module, such as ./my-score.ts',
  ],
  ['[{ score: ./margin.ts }, { score: entropy }]', 'unknown score "entropy"'],
  ['[{ score: "@none/such" }]', ':7:29: there is no module "@none/such"; expected a path'],
  ['[./margin.ts]', 'attack.scores[0]: expected a mapping (key: value), found text "./margin.ts"'],
])('the scores %s are refused with their position', async (scores, message) => {
  await expect(readScores(scores)).rejects.toThrow(message)
})

const withMean = { 'mean.ts': scaledMean, 'margin.ts': scaledMargin }

test('rfa may take the target of a plug-in, by its name alone or with options', async () => {
  const rows = [
    '{ method: rfa, target: ./mean.ts, label: a }',
    '{ method: rfa, target: { name: ./mean.ts, scale: 2 }, label: b }',
    '{ method: rfa, label: c }',
  ]
  const { spec } = await read(rows, withMean)
  expect(spec.methods.map((row) => ('target' in row ? row.target : undefined))).toMatchObject([
    { plugin: { name: 'scaled-mean' }, options: { scale: 1 } },
    { plugin: { name: 'scaled-mean' }, options: { scale: 2 } },
    'random-retained',
  ])
  const { plan } = await planned(rows, withMean)
  const [one, two, three] = plan.candidates.map(({ unlearn }) => unlearn)
  expect(new Set([one?.key, two?.key, three?.key]).size).toBe(3)
  expect(attachmentsOf(plan)).toHaveLength(1)
  const plain = await planned(['{ method: rfa, label: c }'])
  expect(three?.key).toBe(plain.unlearn?.key)
})

test.each([
  ['./margin.ts', ':8:28: ./margin.ts defines a score, expected a shift target'],
  ['{ name: ./margin.ts }', ':8:36: ./margin.ts defines a score, expected a shift target'],
  ['{ name: ./mean.ts, scale: 0 }', ':8:54: methods[0].target.scale: expected a number above 0, found 0'],
  ['{ name: ./mean.ts, sclae: 1 }', ':8:47: unknown key "sclae"; did you mean "scale"?'],
  ['./missing.ts', ':8:28: FOLDER/missing.ts: there is no such file'],
  ['retained-maen', ':8:28: unknown target "retained-maen"; did you mean "retained-mean"?'],
])('the target %s is refused with its position', async (target, message) => {
  const row = `{ method: rfa, target: ${target} }`
  await expect(read([row], withMean)).rejects.toThrow(message.replace('FOLDER', folder))
})

/** Reads and plans a config with other data and another model. */
async function plannedWith(
  sections: Parameters<typeof configOf>[0],
  files: Readonly<Record<string, string>> = {},
) {
  writeFiles(folder, {
    'a.yaml': configOf(sections, '{ method: rfa, layers: [head], rank: 1 }').replace('[3]', '[0]'),
    'lines.ts': lineReader,
    'net.ts': smallNet,
    'lines/train.txt': lineSamples(60),
    'lines/test.txt': lineSamples(30),
    'lines/notes.md': 'no data',
    'alone/train.txt': lineSamples(60),
    'empty/notes.md': 'no data',
    'wrong/train.txt': '0 1 2',
    'class/train.txt': '7 1 2 3 4',
    ...files,
  })
  const source = { config: join(folder, 'a.yaml'), overrides: [], store: join(folder, 'store') }
  return (await prepare(source, await readConfig(source))).run
}

const lines = (more = '') => `{ name: ./lines.ts, from: lines${more} }`

test('data of a plug-in have the digests of their files in the key, and options of both', async () => {
  const { spec, facts, plan } = await plannedWith({ data: lines(', brightness: 0.5, validation: 0.1') })
  expect(spec.data).toMatchObject({
    name: 'plugin',
    plugin: { name: 'lines' },
    options: { brightness: 0.5 },
    validation: 0.1,
  })
  expect(spec.data).not.toHaveProperty('from')
  expect(facts).toMatchObject({
    name: 'lines',
    shape: [2, 2, 1],
    classes: ['dark', 'bright', 'mixed'],
    train: [20, 20, 20],
    test: [10, 10, 10],
    sources: [{ name: 'test.txt' }, { name: 'train.txt' }],
    citation: 'A. Author, 2026',
  })
  const key = async (data: string, files = {}) => (await plannedWith({ data }, files)).plan.dataset.key
  const plain = await key(lines())
  expect(await key(lines(', citation: mine'))).toBe(plain)
  expect(await key(lines(', brightness: 0.25'))).not.toBe(plain)
  expect(await key(lines(), { 'lines/test.txt': lineSamples(27) })).not.toBe(plain)
  expect(await key(lines(), { 'lines/notes.md': 'other notes' })).toBe(
    await key(lines(), { 'lines/notes.md': 'again' }),
  )
  expect(attachmentsOf(plan)).toHaveLength(1)
  const apart = await plannedWith({ data: '{ name: ./lines.ts, from: alone, test: 0.5 }' })
  expect(apart.facts.test).toEqual([0, 0, 0])
})

test.each([
  ['{ name: ./lines.ts }', ':2:1: lines has no files of its own; name as data.from where yours are'],
  ['{ name: ./lines.ts, from: empty, test: 0.5 }', 'has no file that the reader lines takes'],
  ['{ name: ./lines.ts, from: wrong, test: 0.5 }', 'train.txt has a line without 5 numbers'],
  [
    '{ name: ./lines.ts, from: class, test: 0.5 }',
    ':2:15: the reader lines cannot read FOLDER/class: what it returns has 1 label out of range, the first of them 7',
  ],
  [lines(', brightness: 0'), ':2:52: data.brightness: expected a number above 0, found 0'],
  [lines(', brigthness: 1'), ':2:40: unknown key "brigthness"; did you mean "brightness"?'],
  [lines(', validation: 1'), 'data.validation: expected a number below 1, found 1'],
  ['{ name: ./net.ts, from: lines }', ':2:15: ./net.ts defines a model, expected a data reader'],
  ['{ name: ./missing.ts }', ':2:15: FOLDER/missing.ts: there is no such file'],
  [
    '{ name: ./digits.ts }',
    'the default export is no complete definition of a data reader: name: another name',
  ],
  ['{ name: digts }', ':2:15: unknown data set "digts"; did you mean "digits"?'],
])('the data %s are refused', async (data, message) => {
  const files = { 'digits.ts': lineReader.replace("name: 'lines'", "name: 'digits'") }
  await expect(plannedWith({ data }, files)).rejects.toThrow(message.replace('FOLDER', folder))
})

test('a model of a plug-in is in the spec and in keys by its layers', async () => {
  const { spec, plan } = await plannedWith({ model: '{ name: ./net.ts, width: 6 }' })
  expect(spec.model).toMatchObject({ name: 'plugin', plugin: { name: 'small-net' }, options: { width: 6 } })
  const layers = 'layers' in spec.model ? spec.model.layers : []
  expect(layers).toHaveLength(7)
  expect(layers?.at(-1)).toEqual({ kind: 'linear', name: 'head', in: 6, out: 10 })
  expect(plan.original.params).toMatchObject({ model: { name: 'plugin', layers } })
  // No worker executes the module.
  expect(attachmentsOf(plan)).toEqual([])
  const other = await plannedWith(
    { model: '{ name: ./other.ts }' },
    { 'other.ts': smallNet.replace('default(4)', 'default(6)') },
  )
  expect(other.plan.original.key).toBe(plan.original.key)
  const wide = await plannedWith({ model: '{ name: ./net.ts, width: 7 }' })
  expect(wide.plan.original.key).not.toBe(plan.original.key)
})

test.each([
  ['{ name: ./net.ts, width: 0 }', ':4:33: model.width: expected a number at least 1, found 0'],
  ['{ name: ./lines.ts }', ':4:16: ./lines.ts defines a data reader, expected a model'],
  ['{ name: mpl }', ':4:16: unknown model "mpl"; did you mean "mlp"?'],
  ['{ name: ./kind.ts }', ':4:16: the model small-net has no usable layers: layers[6].kind: '],
  [
    '{ name: ./in.ts }',
    ':4:16: the model small-net has no usable layers: conv2 (conv) takes image of 3, and the layer before it gives image of 4',
  ],
  ['{ name: ./out.ts }', 'the last layer, head, has 11 outputs, and the data has 10 classes'],
  ['{ name: ./twin.ts }', 'two layers are called "relu1"; give each a name of its own'],
  ['{ name: ./throws.ts }', 'the model small-net has no usable layers: not today'],
])('the model %s is refused', async (model, message) => {
  const files = {
    'kind.ts': smallNet.replace("kind: 'linear'", "kind: 'dense'"),
    'in.ts': smallNet.replace("'conv2', in: width", "'conv2', in: 3"),
    'out.ts': smallNet.replace('out: classes', 'out: classes + 1'),
    'twin.ts': smallNet.replace('relu2', 'relu1'),
    'throws.ts': smallNet.replace(
      '{ width }) => [',
      "{ width }) => { throw new Error('not today') }, _: () => [",
    ),
  }
  await expect(plannedWith({ model }, files)).rejects.toThrow(message)
})

test('a score in place of a method is refused', async () => {
  await expect(read(['method: ./margin.ts'], { 'margin.ts': scaledMargin })).rejects.toThrow(
    ':8:13: ./margin.ts defines a score, expected a method',
  )
})

test('rows with the same name need labels', async () => {
  const rows = ['method: ./unchanged.ts', '{ method: ./unchanged.ts, strength: 1 }']
  await expect(read(rows)).rejects.toThrow('methods[0] and methods[1] are both called "unchanged" in tables')
})

test('a key contains the options and the source of a plug-in, and not its place, its label or its comments', async () => {
  const { unlearn } = await planned(['{ method: ./unchanged.ts, strength: 3 }'])
  const same = await planned(['{ method: ./elsewhere/b.ts, strength: 3, label: other }'], {
    'elsewhere/b.ts': `// A copy.\n${unchanged}`,
  })
  expect(unlearn?.key).toMatch(/^[0-9a-f]{64}$/)
  expect(same.unlearn?.key).toBe(unlearn?.key)
  const options = await planned(['{ method: ./unchanged.ts, strength: 4 }'])
  const source = await planned(['{ method: ./unchanged.ts, strength: 3 }'], {
    'unchanged.ts': unchanged.replace('trainable: 0', 'trainable: 1'),
  })
  expect(new Set([unlearn, options.unlearn, source.unlearn].map((stage) => stage?.key)).size).toBe(3)
  expect(attachmentsOf(same.plan)).toEqual([
    { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string, bytes: expect.any(Number) as number },
  ])
})

test('a row with a space is tuned among variants of the options of its plug-in', async () => {
  const { plan } = await planned(
    ['{ method: ./unchanged.ts, tune: { trials: 3, space: { strength: { from: 1, to: 5 } } } }'].concat([]),
    {},
    ['data.validation=0.1'],
  )
  const [row] = plan.tuning?.rows ?? []
  const options = row?.rounds[0]?.trials.map(({ params: { method } }) =>
    method.method === 'plugin' ? method.options : undefined,
  )
  expect(options?.[0]).toEqual({ strength: 2, mode: 'a', low: 0, high: 1 })
  expect(new Set(options?.map((one) => one?.strength)).size).toBe(3)
})
