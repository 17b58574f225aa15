import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { schemas, schemaText } from '../../../configs/make-schema.ts'

test.each(Object.keys(schemas).map((file) => [basename(file), file]))(
  '%s, for editors, is what the code accepts: run `npx tsx configs/make-schema.ts` where it is not',
  async (_, file) => {
    expect(await readFile(file, 'utf8')).toBe(await schemaText(file))
  },
)

test('no schema offers an option that is filled in when files are read', () => {
  const [config = {}] = Object.values(schemas)
  const text = JSON.stringify(config)
  expect(text).toContain('"original"')
  expect(text).not.toMatch(/filled in when|"given"|"packed"|"checkpoint"/)
})
