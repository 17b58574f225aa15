/** The values of a mark as lines such as `step: 20`. */
export function tooltipLines(value: unknown): readonly string[] {
  if (value === null || value === undefined || value === '') return []
  if (typeof value === 'string' || typeof value === 'number') return [String(value)]
  if (typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, one]) =>
    typeof one === 'string' || typeof one === 'number' ? [`${name}: ${one}`] : [],
  )
}
