type Value = string | number | boolean | null

/** CSV by RFC 4180, in which no field is a formula. */
export function renderCsv(lines: readonly (readonly Value[])[]): string {
  return lines.map((line) => `${line.map(fieldOf).join(',')}\r\n`).join('')
}

function fieldOf(value: Value): string {
  const text = value === null ? '' : typeof value === 'string' ? asText(value) : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Spreadsheets calculate text that begins like a formula, unless an apostrophe precedes it. */
function asText(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
}
