import { expect } from 'vitest'

/** Reads back the numbers that reports write, apart from the code that writes them. */

export interface WrittenNumber {
  readonly text: string
  readonly value: number
  /** The greatest difference to the number that was rounded. */
  readonly within: number
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const pattern = /[−+-]?\d[\d,]*(?:\.\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?/g

/** `−1.25`, `1,230`, `1.23 × 10⁻⁷`, in the order of the text. */
export function numbersIn(text: string): readonly WrittenNumber[] {
  return [...text.matchAll(pattern)].map(([found]) => {
    const [digits = '', power = ''] = found.replaceAll(',', '').replace('−', '-').split(' × 10')
    const exponent = Number([...power].map((one) => (one === '⁻' ? '-' : superscripts.indexOf(one))).join(''))
    const scale = 10 ** exponent
    const decimals = /\.(\d+)/.exec(digits)?.[1]?.length
    const value = Number(digits) * scale
    // A large number without decimals has three significant digits.
    const within =
      decimals === undefined ? Math.max(0.5, 5e-3 * Math.abs(value)) : 0.5 * 10 ** -decimals * scale
    return { text: found, value, within: within * (1 + 1e-9) }
  })
}

export function matches({ value, within }: WrittenNumber, expected: number): boolean {
  return Math.abs(value - expected) <= within + 1e-12
}

/** A cell shows these numbers in this order, each within its rounding, and no others. */
export function expectNumbers(cell: string, expected: readonly number[], where: string): void {
  const found = numbersIn(cell)
  expect(found.length, `${where}: "${cell}" should show ${expected.join(', ')}`).toBe(expected.length)
  found.forEach((number, i) => {
    const wanted = expected[i] ?? NaN
    expect(matches(number, wanted), `${where}: ${number.text} in "${cell}" should be ${wanted}`).toBe(true)
  })
}

export interface WrittenTable {
  readonly header: readonly string[]
  /** The first cell is the row's label. */
  readonly rows: readonly (readonly string[])[]
}

/** Tables of a Markdown text, without footnotes and emphasis. */
export function markdownTables(markdown: string): readonly WrittenTable[] {
  const plain = markdown.replace(/\[\^\d+\]/g, '').replaceAll('**', '')
  return plain
    .split('\n\n')
    .filter((block) => block.startsWith('|'))
    .map((block) => {
      const [header = [], , ...rows] = block.split('\n').map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) =>
            cell
              .trim()
              .replace(/^\*(.*)\*$/, '$1')
              .replace(/^floor: /, ''),
          ),
      )
      return { header, rows }
    })
}

/** The table of a page that has this accessible name, without footnotes. */
export function htmlTable(page: string, name: string): WrittenTable {
  const start = page.indexOf(`aria-label="${name}"`)
  if (start < 0) throw new Error(`the page has no table "${name}"`)
  const table = page.slice(start, page.indexOf('</table>', start))
  const rows = table.split('<tr').slice(1)
  const cells = (row: string) =>
    [...row.matchAll(/<t([hd])\b[^>]*>([\s\S]*?)<\/t\1>/g)].map(([, , content = '']) => textOf(content))
  const [head = '', body = ''] = [/<thead>[\s\S]*?<\/thead>/.exec(table)?.[0], table.split('</thead>')[1]]
  expect(rows.length).toBeGreaterThan(1)
  return {
    header: cells(head.split('<tr').at(-1) ?? ''),
    rows: body
      .split('<tr')
      .slice(1)
      .map(cells)
      .filter(({ length }) => length > 1),
  }
}

/** The visible text of a page, without the numbers of footnotes. */
export function textOf(html: string): string {
  return html
    .replace(/<a href="#[^>]*>[\s\S]*?<\/a>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/\s+/g, ' ')
    .trim()
}

/** RFC 4180. */
export function parseCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const lines: string[][] = [[]]
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    lines.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain)
    if (end === '\r\n') lines.push([])
  }
  const [header = [], ...rows] = lines.slice(0, -1)
  return rows.map((cells) => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])))
}

/** Rows of a `tabular`, each number as text outside of maths mode. */
export function texRows(tex: string): readonly (readonly string[])[] {
  const [, body = ''] = /\\toprule([\s\S]*?)\\bottomrule/.exec(tex) ?? []
  return body
    .split('\\\\')
    .map((line) => line.replace('\\midrule', '').trim())
    .filter((line) => line !== '')
    .map((line) => line.split(/(?<!\\)&/).map((cell) => plainTex(cell.trim())))
}

function plainTex(cell: string): string {
  return cell
    .replace(/\\textsuperscript\{\d+\}/g, '')
    .replace(/\\mathbf\{([^}]*)\}/g, '$1')
    .replaceAll('\\pm', '±')
    .replaceAll('{,}', ',')
    .replace(/\\times 10\^\{(-?)(\d+)\}/g, (_, sign: string, digits: string) => {
      const power = [...digits].map((digit) => superscripts.charAt(Number(digit))).join('')
      return `× 10${sign === '-' ? '⁻' : ''}${power}`
    })
    .replaceAll('$', '')
}
