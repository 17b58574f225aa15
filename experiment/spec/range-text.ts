import { flow } from './flow.ts'
import type { SearchRange } from './search-spaces.ts'

/** The values of a search range in words. */
export function rangeText(range: SearchRange): string {
  if ('times' in range) return `${range.times.join(' to ')} times the row's own`
  if ('choices' in range) return `one of ${range.choices.map(flow).join(', ')}`
  return `${range.from} to ${range.to}${range.scale === 'log' ? ' on a logarithmic scale' : ''}`
}
