import { declareCommand } from '../declare.ts'
import { temporal } from '../options/shared.ts'

export const setupSearchAttributes = declareCommand({
  name: 'search-attributes',
  about: 'have the server know what `runs` finds runs by',
  options: [temporal],
  action: async () => (await import('../actions/setup-search-attributes.ts')).setupSearchAttributes,
})
