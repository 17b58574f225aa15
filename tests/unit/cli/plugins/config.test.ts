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
  scaledMargin,
  scaledMean,
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
