/** A value as it is written in a config on one line: `{ name: adam, learningRate: 0.001 }`. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => `${key}: ${flow(one)}`)
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
  }
  if (typeof value === 'string') return /^[A-Za-z][\w./-]*$/.test(value) ? value : `'${value}'`
  return String(value)
}
