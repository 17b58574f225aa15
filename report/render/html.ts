import {
  Footnotes,
  fullCell,
  type Block,
  type Cell,
  type Chart,
  type Column,
  type Document,
  type Inline,
  type Row,
  type Section,
  type Table,
  type Term,
  type Text,
} from '../blocks.ts'
import { markup, Markup, type Content } from './markup.ts'
import { style } from './style.ts'

/** Draws a chart. Vega counts ids while it draws, so that charts are drawn one after the other. */
type Draw = (chart: Chart) => Promise<Content>

/** The report as one HTML page that loads nothing and needs no script. */
export async function renderHtml({ title, kind, lead, sections, footer }: Document): Promise<string> {
  let drawn = 0
  const draw: Draw = async ({ description, spec }) => {
    // Vega takes longer to load than the rest takes to render.
    const { renderChart } = await import('./svg.ts')
    return renderChart(`chart${drawn++}`, description, spec)
  }
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Zeroshift</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="eyebrow">${kind}</p>
            <h1>${title}</h1>
            <p class="lead">${notation(lead)}</p>
          </header>
          ${await inOrder(sections, (section) => sectionOf(section, draw))}
          <footer>${text(footer)}</footer>
        </main>
      </body>
    </html> `.text
}

async function sectionOf({ title, id, framed, blocks }: Section, draw: Draw): Promise<Content> {
  const content = await inOrder(blocks, (block) => blockOf(block, draw))
  if (title === undefined && !framed) return content
  return markup`<section${id !== undefined && markup` id="${id}"`}${framed && markup` class="framed"`}>
${title !== undefined && markup`<h2>${notation(title)}</h2>`}
${content}
</section>
`
}

async function blockOf(block: Block, draw: Draw): Promise<Content> {
  switch (block.kind) {
    case 'heading':
      return markup`<h3>${notation(block.text)}</h3> `
    case 'prose':
      return markup`<p${block.style && markup` class="${block.style}"`}>${text(block.text)}</p> `
    case 'list':
      return markup`<ul class="${block.style ?? 'findings'}">${block.items.map((item) => markup`<li>${text(item)}</li> `)}</ul> `
    case 'terms':
      return markup`<dl class="${block.style}">${block.items.map(termOf)}</dl> `
    case 'code':
      return markup`<pre><code>${block.text}</code></pre> `
    case 'details':
      return markup`<details><summary>${block.summary}</summary>${await inOrder(block.blocks, (one) => blockOf(one, draw))}</details> `
    case 'banner': {
      const { tone, title, items = [] } = block
      const list = items.length > 0 && markup`<ul>${items.map((item) => markup`<li>${item}</li>`)}</ul>`
      return markup`<div class="banner ${tone}" role="${tone === 'alert' ? 'alert' : 'note'}"><p><strong>${title}</strong> ${text(block.text)}</p>${list}</div> `
    }
    case 'table':
      return tableOf(block)
    case 'charts': {
      const figures = await inOrder(block.charts, (chart) => figureOf(chart, block.size, draw))
      return block.size === 'wide' || block.size === 'full'
        ? figures
        : markup`<div class="panels ${block.size}">${figures}</div> `
    }
  }
}

async function figureOf(chart: Chart, size: string, draw: Draw): Promise<Content> {
  const { title, small, numbered, note } = chart
  return markup`<figure${size === 'wide' && markup` class="wide"`}>
${title !== undefined && markup`<figcaption>${title}${small !== undefined && markup` <small>${small}</small>`}</figcaption>`}
${await draw(chart)}
${numbered && markup`<ol class="named">${numbered.map((name) => markup`<li>${name}</li>`)}</ol>`}
${note !== undefined && markup`<p class="note">${note}</p>`}</figure>
`
}

function termOf({ term, unit, text: about, notes = [] }: Term): Content {
  const unitText = unit !== undefined && unit !== '' && ` (${unit})`
  return markup`<div><dt>${text(term)}</dt><dd>${text(about)}${unitText}${notes.map((one) => markup`<p class="note">${text(one)}</p>`)}</dd></div> `
}

function tableOf({ name, id, columns, rows, floorTitle, notes = [] }: Table): Content {
  const footnotes = new Footnotes()
  const isWide = columns.length > 8
  const rowsOf = (wanted: (row: Row) => boolean) =>
    rows.filter(wanted).map((row) => rowOf(row, columns, (text) => reference(id, footnotes.numberOf(text))))
  const groups = [...new Set(columns.flatMap(({ group }) => group ?? []))]
  const ungrouped = columns.filter(({ group }) => group === undefined).length
  const floorHead =
    floorTitle !== undefined &&
    markup`<tr class="about"><th colspan="${columns.length}" scope="rowgroup"><span>${floorTitle}</span></th></tr> `
  const body = rowsOf(({ style }) => style !== 'floor' && style !== 'total')
  const floor = rowsOf(({ style }) => style === 'floor')
  const total = rowsOf(({ style }) => style === 'total')
  return markup`<div class="scroll${isWide && ' wide'}" tabindex="0" role="region" aria-label="${name}">
<table${isWide && markup` class="dense"`}>
<thead>
${
  groups.length > 0 &&
  markup`<tr><td colspan="${ungrouped}"></td>${groups.map((group) => markup`<th scope="colgroup" class="split group" colspan="${columns.filter((column) => column.group === group).length}">${group}</th>`)}</tr>`
}
<tr>${columns.map(headOf)}</tr>
</thead>
<tbody>
${body}</tbody>
${floor.length > 0 && markup`<tbody class="floor"> ${floorHead}${floor}</tbody>`}
${total.length > 0 && markup`<tfoot>${total}</tfoot>`}
</table>
</div>
${notes.map((note) => markup`<p class="note">${note}</p>`)}
${
  footnotes.texts.length > 0 &&
  markup`<ol class="footnotes">${footnotes.texts.map((note, i) => markup`<li id="${id}-${i + 1}">${note}</li>`)}</ol>`
}
`
}

function headOf(column: Column): Content {
  const { label, unit } = column
  const names = [...classesOf(column), ...(label.length > 12 ? ['wrap'] : [])]
  return markup`<th scope="col"${classAttribute(names)}>${notation(label)}${unit !== undefined && unit !== '' && markup`<small>${unit}</small>`}</th>`
}

function classesOf({ text, key, split }: Column): readonly string[] {
  return Object.entries({ text, key, split }).flatMap(([name, is]) => (is ? [name] : []))
}

function classAttribute(names: readonly string[]): Content {
  return names.length > 0 && markup` class="${names.join(' ')}"`
}

function rowOf({ cells, style }: Row, columns: readonly Column[], refer: (note: string) => Content): Content {
  const [first = '', ...others] = cells
  return markup`<tr${style === 'best' && markup` class="closest"`}>
<th scope="row">${cellContent(first, refer)}</th>
${others.map((cell, i) => {
  const names = classesOf(columns[i + 1] ?? { label: '' })
  const { tone } = fullCell(cell)
  return markup`<td${classAttribute(tone ? [...names.filter((name) => name === 'split'), tone] : names)}>${cellContent(cell, refer)}</td>`
})}</tr>
`
}

function cellContent(cell: Cell, refer: (note: string) => Content): Content {
  const { text: own, interval, mark, beside, small, note, link, digest } = fullCell(cell)
  const linked = link === undefined ? notation(own) : markup`<a href="${link}">${own}</a>`
  const shown = digest === undefined ? linked : markup`<code title="${digest}">${own}</code>`
  return [
    note !== undefined && own === 'n/a' ? markup`<span class="missing">n/a${refer(note)}</span>` : shown,
    mark !== undefined && ` ${mark}`,
    note !== undefined && own !== 'n/a' && markup`<span class="missing">${refer(note)}</span>`,
    interval !== undefined && markup`<br /><small>${interval}</small>`,
    [beside, small].map((one) => one !== undefined && markup`<small>${one}</small>`),
  ]
}

function reference(id: string, number: number): Content {
  return markup`<a href="#${id}-${number}" aria-label="footnote ${number}"><sup>${number}</sup></a>`
}

function text(content: Text): Content {
  return typeof content === 'string' ? notation(content) : content.map(inlineOf)
}

function inlineOf(part: Inline): Content {
  if (typeof part === 'string') return notation(part)
  if ('code' in part) return markup`<code>${part.code}</code>`
  if ('strong' in part) return markup`<strong>${part.strong}</strong>`
  if ('small' in part) return markup`<small>${part.small}</small>`
  if ('link' in part) return markup`<a href="${part.link}">${part.text}</a>`
  const { swatch } = part
  return swatch === 'line' || swatch === 'dashed'
    ? markup`<span class="swatch ${swatch}"></span>`
    : markup`<span class="swatch" style="background: var(--${swatch})"></span>`
}

/** Sets the subscripts of D_r, D_f and D_t. */
function notation(content: string): Content {
  return content
    .split(/\b(D_[rft])\b/)
    .map((part) => (/^D_[rft]$/.test(part) ? markup`<var>D</var><sub>${part.slice(2)}</sub>` : part))
}

async function inOrder<T>(items: readonly T[], write: (item: T) => Promise<Content>): Promise<Content[]> {
  const written: Content[] = []
  for (const item of items) written.push(await write(item))
  return written
}
