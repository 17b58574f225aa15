import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generatedPages, pathOf, textOf } from '../../../docs/generate/pages.ts'
import { storeLayout } from '../../../docs/generate/store-layout.ts'

test.each(generatedPages)('docs/%s is what npm run docs:reference writes', async (page) => {
  expect(readFileSync(pathOf(page), 'utf8')).toBe(await textOf(page))
})

test('every page of the reference is generated', () => {
  const pages = readdirSync(pathOf('reference')).map((name) => `reference/${name}`)
  expect(pages.sort()).toEqual(generatedPages.filter((page) => page.startsWith('reference/')).sort())
})

test('the layout of a store has a row for every file of a store', () => {
  const store = join(import.meta.dirname, '../../fixtures/stores/format-1')
  const rows = storeLayout.map(
    ({ path }) => new RegExp(`^${path.replace(/\./g, '\\.').replace(/<\w+>/g, '[^/]+').replace('…', '.+')}$`),
  )
  const files = readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(store.length + 1))
  expect(files.length).toBeGreaterThan(10)
  expect(files.filter((file) => !rows.some((row) => row.test(file)))).toEqual([])
})
