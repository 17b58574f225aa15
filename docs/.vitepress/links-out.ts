import { dirname, join, relative } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'

const DOCS = join(import.meta.dirname, '..')

/**
 * Shows links to files that are no pages of the site, such as source code, as text. On GitHub they
 * are links.
 */
export function withoutLinksOut(md: MarkdownRenderer): void {
  md.core.ruler.push('links-out', ({ tokens, env }) => {
    const { path } = env as { readonly path: string }
    for (const { children } of tokens) {
      let isOut = false
      for (const token of children ?? []) {
        if (token.type === 'link_open') isOut = !isPage(token.attrGet('href') ?? '', path)
        if (isOut && (token.type === 'link_open' || token.type === 'link_close')) {
          isOut = token.type === 'link_open'
          token.type = 'text'
          token.content = ''
          token.nesting = 0
        }
      }
    }
  })
}

/** Whether a link leads to a page of the site or to another site. */
function isPage(href: string, from: string): boolean {
  if (/^([a-z]+:|#)/.test(href)) return true
  const file = href.replace(/#.*$/, '')
  return file.endsWith('.md') && !relative(DOCS, join(dirname(from), file)).startsWith('..')
}
