/** Markdown text that GitHub and VitePress show alike. */

/**
 * Text in a paragraph or a table cell: signs that Markdown or HTML would interpret are escaped,
 * except in code spans.
 */
export function plain(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (/^`.*`$/s.test(part) ? part.replace(/\|/g, '\\|') : escaped(part)))
    .join('')
}

function escaped(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/[\\`*[\]|]/g, '\\$&')
    .replace(/</g, '&lt;')
}

/** A code span, in a table cell too. */
export function code(text: string): string {
  const fence = text.includes('`') ? '``' : '`'
  const pad = text.includes('`') ? ' ' : ''
  return `${fence}${pad}${text.replace(/\|/g, '\\|')}${pad}${fence}`
}

/** A table whose cells are Markdown. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A sentence with a capital letter and a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim()
  if (trimmed === '') return ''
  return `${trimmed[0]?.toUpperCase() ?? ''}${trimmed.slice(1)}${/[.!?:]$/.test(trimmed) ? '' : '.'}`
}
