import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vitepress'
import { afterAll, expect, test } from 'vitest'
import { generatedPages } from '../../../docs/generate/pages.ts'

const ROOT = join(import.meta.dirname, '../../..')
const outDir = mkdtempSync(join(tmpdir(), 'zeroshift-site-'))

afterAll(() => {
  rmSync(outDir, { recursive: true })
})

test('VitePress builds the documentation', async () => {
  await build(join(ROOT, 'docs'), { outDir })
  const pages = ['index.html', 'getting-started.html', 'results/index.html'].concat(
    generatedPages.map((page) => page.replace(/\.md$/, '.html')),
  )
  expect(pages.filter((page) => !existsSync(join(outDir, page)))).toEqual([])
})
