import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { schema } from '../../../../cli/actions/schema.ts'
import { UserError } from '../../../../common/errors.ts'
import { testDirectory } from '../../../support/directories.ts'
import { test } from '../../../support/fixtures.ts'
import { scaledMargin, unchanged, writeFiles } from '../../../support/plugins.ts'

interface Printed {
  readonly properties: {
    readonly methods: {
      readonly items: {
        readonly oneOf: readonly { readonly properties: Readonly<Record<string, object>> }[]
      }
    }
  }
}

const rowsIn = (text: string) => (JSON.parse(text) as Printed).properties.methods.items.oneOf

test('without plug-ins, the schema accepts any row that names a module', async ({ stdout }) => {
  expect(await schema({})).toBe(0)
  expect(rowsIn(stdout.text).at(-1)?.properties.method).toEqual({
    type: 'string',
    pattern: '^(\\.{1,2}/|/|@)',
  })
})

test('with a score, the schema has its options, and accepts any method that is a module', async ({
  stdout,
}) => {
  const folder = writeFiles(testDirectory(), { 'margin.ts': scaledMargin })
  vi.stubEnv('ZEROSHIFT_CACHE', join(folder, 'cache'))
  try {
    const name = join(folder, 'margin.ts')
    expect(await schema({ with: [name] })).toBe(0)
    const { properties } = JSON.parse(stdout.text) as {
      properties: { attack: { properties: { scores: { items: { oneOf: readonly unknown[] } } } } }
    }
    expect(properties.attack.properties.scores.items.oneOf).toMatchObject([
      { properties: { score: { const: name }, scale: { exclusiveMinimum: 0 }, label: {} } },
    ])
    expect(rowsIn(stdout.text).at(-1)?.properties.method).toMatchObject({ type: 'string' })
  } finally {
    vi.unstubAllEnvs()
  }
})

test('with a plug-in, the schema has its options', async ({ stdout }) => {
  const folder = writeFiles(testDirectory(), { 'unchanged.ts': unchanged })
  vi.stubEnv('ZEROSHIFT_CACHE', join(folder, 'cache'))
  try {
    const name = join(folder, 'unchanged.ts')
    expect(await schema({ with: [name] })).toBe(0)
    expect(rowsIn(stdout.text).at(-1)?.properties).toMatchObject({
      method: { const: name },
      strength: { type: 'number', minimum: 0, default: 2, description: 'of nothing' },
      mode: { enum: ['a', 'b'] },
      tune: {},
      label: {},
    })
    await expect(schema({ with: ['./missing.ts'] })).rejects.toThrow(UserError)
    await expect(schema({ with: ['missing'] })).rejects.toThrow('there is no such file and no such package')
  } finally {
    vi.unstubAllEnvs()
  }
})
