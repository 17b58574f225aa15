import {
  Footnotes,
  fullCell,
  type Block,
  type Cell,
  type Document,
  type Inline,
  type Row,
  type Table,
  type Text,
} from '../blocks.ts'

/** The report for GitHub, without its charts. */
export function renderMarkdown({ title, lead, sections, footer }: Document): string {
  const footnotes = new Footnotes()
  const written = [
    `# ${escaped(title)}`,
    escaped(lead),
    ...sections.flatMap(({ title, pageOnly, blocks }) =>
      pageOnly
        ? []
        : [
            ...(title === undefined ? [] : [`## ${escaped(title)}`]),
            ...blocks.flatMap((block) => blockOf(block, footnotes)),
          ],
    ),
    text(footer),
    ...footnotes.texts.map((note, i) => `[^${i + 1}]: ${escaped(note)}`),
  ]
  return `${written.join('\n\n')}\n`
}

const alerts = { alert: 'CAUTION', warning: 'WARNING', note: 'NOTE' } as const

function blockOf(block: Block, footnotes: Footnotes): readonly string[] {
  switch (block.kind) {
    case 'heading':
      return [`### ${escaped(block.text)}`]
    case 'prose':
      return [block.style === 'headline' ? `**${text(block.text)}**` : text(block.text)]
    case 'list':
      return [listOf(block.items)]
    case 'terms':
      return [`${block.items.map(termOf).join('; ')}.`]
    case 'code':
      return [fenced(block.text, block.language)]
    case 'details': {
      const content = block.blocks.flatMap((one) => blockOf(one, footnotes))
      return [`<details><summary>${escaped(block.summary)}</summary>`, ...content, '</details>']
    }
    case 'banner': {
      const lines = [`[!${alerts[block.tone]}]`, `**${escaped(block.title)}** ${text(block.text)}`]
      const items = block.items?.length ? ['', ...listOf(block.items).split('\n')] : []
      return [[...lines, ...items].map((line) => `> ${line}`.trimEnd()).join('\n')]
    }
    case 'table':
      return [tableOf(block, footnotes), ...(block.notes ?? []).map(escaped)]
    case 'charts':
      return []
  }
}

function listOf(items: readonly Text[]): string {
  return items.map((item) => `- ${text(item)}`).join('\n')
}

function termOf({ term, unit, text: about, notes = [] }: Extract<Block, { kind: 'terms' }>['items'][number]) {
  const unitText = unit === undefined || unit === '' ? '' : ` (${escaped(unit)})`
  return `**${text(term)}**${unitText}: ${[about, ...notes].map(text).join(' ')}`
}

function tableOf({ columns, rows }: Table, footnotes: Footnotes): string {
  const header = columns.map(({ label, group }) =>
    escaped(group === undefined ? label : `${group}: ${label}`),
  )
  const ruler = columns.map(({ text }, i) => (i === 0 || text ? '---' : '---:'))
  const headOf = ({ cells: [cell = ''], style }: Row) => {
    const { text, mark, ...rest } = fullCell(cell)
    const own = cellOf({ ...rest, text: style === 'floor' ? `floor: ${text}` : text })
    const named = style === 'floor' ? `*${own}*` : style === 'best' ? `**${own}**` : own
    return mark === undefined ? named : `${named} ${mark}`
  }
  const cellOf = (cell: Cell) => {
    const { text, interval, mark, beside, note, link, digest } = fullCell(cell)
    const linked = link === undefined ? escaped(text) : linkTo(link, text)
    return [
      digest === undefined ? linked : `\`${text}\``,
      ...(interval === undefined ? [] : [` ${interval}`]),
      ...(mark === undefined ? [] : [` ${mark}`]),
      ...(beside === undefined ? [] : [` (${beside})`]),
      ...(note === undefined ? [] : [`[^${footnotes.numberOf(note)}]`]),
    ].join('')
  }
  const body = rows.map((row) => row.cells.map((cell, i) => (i === 0 ? headOf(row) : cellOf(cell))))
  return [header, ruler, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function text(content: Text): string {
  return typeof content === 'string' ? escaped(content) : content.map(inlineOf).join('')
}

function inlineOf(part: Inline): string {
  if (typeof part === 'string') return escaped(part)
  if ('code' in part) return `\`${part.code.replaceAll('`', "'")}\``
  if ('strong' in part) return `**${escaped(part.strong)}**`
  if ('small' in part) return escaped(part.small)
  return 'link' in part ? linkTo(part.link, part.text) : ''
}

/** A target in angle brackets may hold anything but these and white space. */
function linkTo(target: string, content: string): string {
  return `[${escaped(content)}](<${target.replace(/[<>|\s\\]/g, encodeURIComponent)}>)`
}

/** Text in which GitHub finds no markup. */
function escaped(content: string): string {
  return content
    .replace(/\s+/g, ' ')
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\\`*_[\]|~$]/g, (character) => `\\${character}`)
}

/** A block of code whose fence is longer than any in the text. */
function fenced(content: string, language: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${content}\n${fence}`
}
