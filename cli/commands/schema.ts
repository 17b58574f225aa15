import { declareCommand, values } from '../declare.ts'

export const schema = declareCommand({
  name: 'schema',
  about: 'print the JSON Schema of configs, from which editors complete and check them',
  options: [
    values(
      '--with <module>',
      'a plug-in whose options it has, named as configs in this directory name it; may be repeated',
    ),
  ],
  action: async () => (await import('../actions/schema.ts')).schema,
})
