import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { createMarkdownRenderer } from 'vitepress'
import { expect, test } from 'vitest'
import { anchorOf } from '../../../docs/generate/anchors.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const markdown = await createMarkdownRenderer(join(ROOT, 'docs'), { anchor: { slugify: anchorOf } })

/**
 * A page's links and images as they are written, its code spans, and the anchors of its headings.
 */
interface Page {
  readonly links: readonly string[]
  readonly code: readonly string[]
  readonly anchors: ReadonlySet<string>
}

const pages = new Map(markdownFiles().map((file) => [file, read(file)]))

test.each([...pages.keys()].map((file) => relative(ROOT, file)))(
  'every link of %s leads somewhere',
  (name) => {
    const file = join(ROOT, name)
    const broken = (pages.get(file)?.links ?? []).filter((link) => !leadsSomewhere(file, link))
    expect(broken).toEqual([])
  },
)

/** Users write this file. */
const USERS_OWN = 'infra/.env'
/** Commands write files into these folders. */
const WRITTEN: readonly string[] = ['.zeroshift', 'built']

/** Measurements name what there was when they were made, and so does the changelog. */
const current = [...pages].filter(([file]) => !/docs\/results\/|CHANGELOG/.test(file))

test.each(current.map(([file, { code }]) => [relative(ROOT, file), code] as const))(
  'every file of the repository that %s mentions exists',
  (_, code) => {
    const folders = readdirSync(ROOT, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() && !WRITTEN.includes(entry.name) ? [entry.name] : [],
    )
    const paths = code.filter((text) => /^[\w.-]+(\/[\w.-]+)+\/?$/.test(text))
    const ours = paths.filter((path) => folders.includes(path.split('/')[0] ?? '') && path !== USERS_OWN)
    expect(ours.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  },
)

test('the page about security names tests that exist', () => {
  const text = readFileSync(join(ROOT, 'docs/guides/security.md'), 'utf8')
  const names = [...text.matchAll(/`((?:unit|integration|e2e|faults)\/[\w/-]+)`/g)].map(
    ([, name = '']) => name,
  )
  expect(names.length).toBeGreaterThan(20)
  const exists = (name: string) => ['', '.test.ts'].some((end) => existsSync(join(ROOT, 'tests', name + end)))
  expect(names.filter((name) => !exists(name))).toEqual([])
})

test('the README has at most 150 lines', () => {
  expect(readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(151)
})

/** The Markdown files of the repository's root, of docs/ and of infra/. */
function markdownFiles(): readonly string[] {
  const below = (folder: string) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  return [...readdirSync(ROOT), ...below('docs'), ...below('infra')]
    .filter((name) => name.endsWith('.md') && !name.includes('.vitepress/'))
    .map((name) => join(ROOT, name))
}

function read(file: string): Page {
  const tokens = markdown.parse(readFileSync(file, 'utf8'), { path: file })
  const inline = tokens.flatMap(({ children }) => children ?? [])
  return {
    links: inline.flatMap((token) => {
      const isLink = token.type === 'link_open' && token.attrGet('class') !== 'header-anchor'
      const target = isLink ? token.attrGet('href') : token.type === 'image' ? token.attrGet('src') : null
      return target === null ? [] : [target]
    }),
    code: inline.flatMap(({ type, content }) => (type === 'code_inline' ? [content] : [])),
    anchors: new Set(
      tokens.flatMap((token) => (token.type === 'heading_open' ? [token.attrGet('id') ?? ''] : [])),
    ),
  }
}

/** Whether the file and the anchor of a link exist. Addresses of other sites are not followed. */
function leadsSomewhere(from: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true
  const [path = '', anchor] = decodeURI(link).split('#')
  const target = path === '' ? from : join(dirname(from), path)
  if (!existsSync(target) || relative(ROOT, target).startsWith('..')) return false
  return anchor === undefined || (pages.get(target)?.anchors.has(anchor) ?? false)
}
