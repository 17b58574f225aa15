import { declareCommand } from '../declare.ts'
import { temporal } from '../options/shared.ts'

export const setupSearchAttributes = declareCommand({
  name: 'search-attributes',
  about: 'register the search attributes by which `runs` finds runs',
  options: [temporal],
  action: async () => (await import('../actions/setup-search-attributes.ts')).setupSearchAttributes,
})
