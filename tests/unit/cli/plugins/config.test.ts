import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { prepare } from '../../../../cli/launch/prepare.ts'
import { readConfig } from '../../../../cli/launch/read-config.ts'
import { attachmentsOf } from '../../../../experiment/plan/attachments.ts'
import { testDirectory } from '../../../support/directories.ts'
import { configWith, unchanged, writeFiles } from '../../../support/plugins.ts'

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
    "early.ts cannot be loaded: tf.scalar of 'zeroshift' is called while the module is loaded",
  ],
  ['method: ./empty.ts', 'empty.ts: the default export is no method: name: '],
  [
    'method: ./reserved.ts',
    'reserved.ts: the method has an option "label", which every row of a config has already',
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
