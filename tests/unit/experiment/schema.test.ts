import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { schemaFile, schemaText } from '../../../configs/make-schema.ts'

test("the editors' schema is what the code accepts: run `npx tsx configs/make-schema.ts` where it is not", async () => {
  expect(await readFile(schemaFile, 'utf8')).toBe(await schemaText())
})
