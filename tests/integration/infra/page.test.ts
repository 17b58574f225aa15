import { appendFileSync, cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { builtPage, isPageBuilt } from '../../../infra/page.mjs'
import { fileDirectory } from '../../support/directories.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** The largest script that a reader loads before the first chart, compressed. */
const MOST_BYTES = 300_000
let folder: string

beforeAll(async () => {
  folder = await builtPage()
})

test('the script before charts is small', () => {
  expect(readFileSync(join(folder, 'page.js.gz')).length).toBeLessThan(MOST_BYTES)
})

test('scripts are classic ones that load nothing themselves, so that they work from disk', () => {
  for (const name of ['page.js', 'charts.js']) {
    const text = readFileSync(join(folder, name), 'utf8')
    expect(text, name).not.toMatch(/^(import|export)\b/m)
    expect(text, name).not.toMatch(/\bimport\s*\(/)
  }
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  expect(html).not.toContain('type="module"')
  expect(html).not.toMatch(/https?:\/\//)
})

test('the style sheet has the rules of reports, and colours for a chosen theme', () => {
  const css = readFileSync(join(folder, 'page.css'), 'utf8')
  expect(css).toContain('tr.closest')
  for (const theme of ['light', 'dark']) expect(css).toMatch(new RegExp(`data-theme=["']?${theme}`))
})

test('a page of the same sources is built once, and one of changed sources again', async () => {
  const copy = fileDirectory()
  for (const part of ['ui', 'report', 'common', 'experiment', 'infra/page.mjs', 'package.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  expect(isPageBuilt(copy)).toBe(false)
  const first = await builtPage(copy)
  // The name of a build is the digest of its sources, which are those of the checkout.
  expect(first.split('/').at(-1)).toBe(folder.split('/').at(-1))
  expect(await builtPage(copy)).toBe(first)
  appendFileSync(join(copy, 'ui/web/style.css'), '\n.another { color: red; }\n')
  expect(isPageBuilt(copy)).toBe(false)
  const second = await builtPage(copy)
  expect(second).not.toBe(first)
  expect(readFileSync(join(second, 'page.css'), 'utf8')).toContain('.another')
  expect(readdirSync(join(copy, 'built/page')).filter((name) => name.startsWith('partial'))).toEqual([])
})
