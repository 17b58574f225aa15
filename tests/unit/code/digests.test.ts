import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeDigests, codeNames } from '../../../activities/runtime/code-digests.ts'
import { copyOfCheckout, edit } from '../../support/checkout.ts'
import { testDirectory } from '../../support/directories.ts'

let copy: string
let before: Awaited<ReturnType<typeof digests>>
beforeAll(async () => {
  before = await digests(undefined)
})
beforeEach(() => {
  copy = copyOfCheckout(testDirectory())
})

async function digests(root: string | undefined): Promise<ReadonlyMap<string, string>> {
  const found = await codeDigests(codeNames, root)
  return new Map([...found].map(([name, { digest }]) => [name, digest]))
}

/** The bodies whose digest in the copy is not that of the checkout. */
async function changed(): Promise<readonly string[]> {
  const now = await digests(copy)
  return codeNames.filter((name) => now.get(name) !== before.get(name))
}

describe('nothing changes', () => {
  test('in another directory', async () => {
    expect(await changed()).toEqual([])
  })

  test('where a body is bundled alone', async () => {
    const alone = await codeDigests(['unlearn:rfa'])
    expect(alone.get('unlearn:rfa')?.digest).toBe(before.get('unlearn:rfa'))
  })

  test('by comments, types and formatting', async () => {
    edit(
      copy,
      'learning/training/losses.ts',
      'const classes = logits',
      '// Remark.\n\n  const classes: number =\n logits',
    )
    edit(copy, 'learning/training/losses.ts', '.add(smoothing / classes)', '.add(smoothing /\n classes)')
    edit(
      copy,
      'learning/random.ts',
      'export interface RandomStream {',
      'export interface Quirky { readonly zzz: Record<string, number> }\nexport interface RandomStream {',
    )
    expect(await changed()).toEqual([])
  })

  test('by code that no body reaches', async () => {
    const path = join(copy, 'learning/training/losses.ts')
    writeFileSync(path, `${readFileSync(path, 'utf8')}\nexport const unused = (x: number) => 2 * x\n`)
    expect(await changed()).toEqual([])
  })

  test('where a module moves', async () => {
    renameSync(join(copy, 'learning/training/losses.ts'), join(copy, 'learning/training/objectives.ts'))
    const files = readdirSync(copy, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^(learning|unlearning|activities|api)\/.*\.ts$/.test(file),
    )
    for (const file of files) {
      const path = join(copy, file)
      writeFileSync(path, readFileSync(path, 'utf8').replace('/losses.ts', '/objectives.ts'))
    }
    expect(await changed()).toEqual([])
  })
})

/** The bodies that execute these methods. */
const ofMethods = (...names: readonly string[]) =>
  ['trial', 'unlearn'].flatMap((kind) => names.map((name) => `${kind}:${name}`))

/** The bodies that execute `rfa` with the target of a plug-in. */
const rfaWithPlugin = ['unlearn:rfa:plugin', 'trial:rfa:plugin']

describe('a change', () => {
  test('of a method is one of that method', async () => {
    edit(
      copy,
      'unlearning/methods/random-label.ts',
      '...context.retained, ...context.forget',
      '...context.forget',
    )
    expect(await changed()).toEqual(ofMethods('random-label'))
  })

  test('of what methods share is one of those that use it', async () => {
    edit(copy, 'unlearning/methods/random-label.ts', 'labels[i] ?? 0) + 1', 'labels[i] ?? 0) + 2')
    expect(await changed()).toEqual(ofMethods('random-label', 'salun', 'lora-random-label'))
  })

  test('of the loss is one of everything that trains, and of nothing else', async () => {
    edit(
      copy,
      'learning/training/losses.ts',
      '    .mean()\n    .neg()',
      '    .mean()\n    .mul(10)\n    .neg()',
    )
    const names = await changed()
    expect(names).toEqual(
      expect.arrayContaining(['train', 'shadow', 'relearn', 'unlearn:finetune', 'unlearn:rfa']),
    )
    for (const name of ['dataset', 'split', 'evaluate', 'attack', 'compare', 'population', 'pool'])
      expect(names).not.toContain(name)
  })

  test('of the training loop is one of everything that trains', async () => {
    edit(copy, 'learning/training/train.ts', 'const step = taken\n', 'const step = taken + 1\n')
    expect(await changed()).toEqual(expect.arrayContaining(['train', 'shadow', 'relearn', 'unlearn:rfa']))
  })

  test('of the body that all methods share is one of every method', async () => {
    edit(copy, 'activities/stages/unlearn.ts', "format: 'pt'", "format: 'np'")
    const methods = codeNames.filter((name) => name.startsWith('unlearn:') && name !== 'unlearn:program')
    expect(await changed()).toEqual(methods)
  })

  test('of a thread that a body starts is one of the body', async () => {
    edit(
      copy,
      'unlearning/linear-algebra/solve-thread.mjs',
      'assumeSymmetric: true',
      'assumeSymmetric: false',
    )
    expect(await changed()).toEqual([
      ...ofMethods('damp', 'influence', 'rfa'),
      ...['probe', 'features', 'maps', ...rfaWithPlugin],
    ])
  })

  test('of a package that a body imports is one of the body', async () => {
    edit(copy, 'package.json', '"ml-matrix": "6.15.1"', '"ml-matrix": "6.15.2"')
    const methods = ofMethods('sisa', 'damp', 'influence', 'rfa')
    expect(await changed()).toEqual([
      ...['train', ...methods, 'shadow', 'probe', 'features', 'maps', ...rfaWithPlugin],
    ])
  })

  test('of what carries bytes is none: their digests are in the key', async () => {
    const path = join(copy, 'sources/download.ts')
    writeFileSync(path, `${readFileSync(path, 'utf8')}\nconsole.log('changed')\n`)
    expect(await changed()).toEqual([])
  })
})

test('no stage reaches the schemas of configs, whose descriptions change often', async () => {
  const reached = [...(await codeDigests(codeNames)).values()].flatMap(({ files }) => files)
  expect(
    [...new Set(reached)].filter((file) => /experiment\/spec\/(spec|methods|data|model)\.ts$/.test(file)),
  ).toEqual([])
})
