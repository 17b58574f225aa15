import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundlePlugin } from '../../../../cli/plugins/bundle.ts'
import { testDirectory } from '../../../support/directories.ts'
import { unchanged, writeFiles } from '../../../support/plugins.ts'

const bundled = async (files: Readonly<Record<string, string>>, name = 'a.ts') =>
  Buffer.from(
    await bundlePlugin({ kind: 'file', path: join(writeFiles(testDirectory(), files), name) }),
  ).toString()

/** A package in CommonJS format that loads a module of Node. */
const packageFiles = {
  'node_modules/halve/package.json': '{ "name": "halve", "version": "1.0.0", "main": "index.js" }',
  'node_modules/halve/index.js':
    "const { basename } = require('path')\nmodule.exports = (x) => (basename('a/b') === 'b' ? x / 2 : 0)",
}
const withPackage = `import halve from 'halve'
import { half } from './half.ts'
${unchanged.replace('default(2)', 'default(halve(4) + half)')}`

test('the same sources give the same bytes in any folder, whatever comments and types they have', async () => {
  const files = { 'a.ts': withPackage, 'half.ts': 'export const half = 0.5', ...packageFiles }
  const one = await bundled(files)
  const other = await bundled({
    ...files,
    'tsconfig.json': '{ "compilerOptions": { "target": "es5", "verbatimModuleSyntax": true } }',
    'half.ts': '// A half.\nexport const half: number = 0.5',
  })
  expect(other).toBe(one)
  expect(await bundled({ ...files, 'half.ts': 'export const half = 0.25' })).not.toBe(one)
})

test('a bundle has its packages, and takes Zeroshift, zod and TensorFlow from its process', async () => {
  const text = await bundled({
    'a.ts': `import * as tfjs from '@tensorflow/tfjs'\nimport { z as zod } from 'zod'\n${withPackage.replace('low:', 'more: zod.number().default(tfjs.ENV ? 1 : 0),\n      low:')}`,
    'half.ts': 'export const half = 0.5',
    ...packageFiles,
  })
  expect(text).toContain('basename')
  expect(text).not.toContain('trainOn')
  expect(text).toContain('"zeroshift.api.1"')
  expect(text.length).toBeLessThan(4000)
})

test.each([
  [
    'a name that zeroshift lacks',
    "import { nothing } from 'zeroshift'\nexport default nothing",
    /a.ts:1:10: No matching export .*"nothing"/,
  ],
  [
    'a part of zeroshift',
    "import 'zeroshift/learning'\nexport default 1",
    'there is no module "zeroshift/learning"',
  ],
  ['a missing package', "import 'missing'\nexport default 1", /a.ts:1:8: Could not resolve "missing"/],
  ['wrong syntax', 'export default {', /a.ts:1:17: /],
  ['no default export', 'export const a = 1', 'No matching export in "a.ts" for import "default"'],
  [
    'a source of Zeroshift',
    `import { stream } from '${join(import.meta.dirname, '../../../../learning/random.ts')}'\nexport default stream`,
    'it imports learning/random.ts of Zeroshift',
  ],
])('%s is refused', async (_, text, message) => {
  await expect(bundled({ 'a.ts': text })).rejects.toThrow(message)
})
