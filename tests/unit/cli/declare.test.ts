import { Command } from 'commander'
import { afterEach, describe, expect, test } from 'vitest'
import {
  declareCommand,
  declareGroup,
  flag,
  negation,
  requiredValue,
  value,
  valueOr,
  values,
  type AddCommand,
} from '../../../cli/declare.ts'

afterEach(() => {
  process.exitCode = undefined
})

async function execute(add: AddCommand, ...words: readonly string[]): Promise<void> {
  const program = new Command('program').exitOverride().configureOutput({ writeErr: () => undefined })
  add(program)
  await program.parseAsync(words, { from: 'user' })
}

describe('a declared command', () => {
  interface Options {
    readonly dryRun?: true
    readonly s3: boolean
    readonly s3Port?: string
    readonly grace: string
    readonly out: string
    readonly set?: readonly string[]
  }
  let received: unknown
  const declared = declareCommand({
    name: 'copy',
    about: 'copies',
    arguments: [
      { name: '<file>', about: 'a file' },
      { name: '[label]', about: 'a label' },
    ],
    options: [
      flag('--dry-run', ''),
      negation('--no-s3', ''),
      value('--s3-port <port>', ''),
      valueOr('--grace <time>', '', '24h'),
      requiredValue('--out <directory>', ''),
      values('-S, --set <path=value>', ''),
    ],
    action: () =>
      Promise.resolve((file: string, label: string | undefined, options: Options) => {
        received = { file, label, options }
        return 3
      }),
  })

  test.each([
    { words: ['a', '--out', 'b'], label: undefined, options: { s3: true, grace: '24h', out: 'b' } },
    {
      words: ['a', 'l', '--dry-run', '--no-s3', '--s3-port', '1', '--grace', '1h', '--out', 'b'],
      label: 'l',
      options: { dryRun: true, s3: false, s3Port: '1', grace: '1h', out: 'b' },
    },
    {
      words: ['a', '-S', 'x=1', '--set', 'y=2', '--out', 'b'],
      label: undefined,
      options: { s3: true, grace: '24h', out: 'b', set: ['x=1', 'y=2'] },
    },
  ])('passes $words to its action, whose result is the exit code', async ({ words, label, options }) => {
    await execute(declared, 'copy', ...words)
    expect(received).toEqual({ file: 'a', label, options })
    expect(process.exitCode).toBe(3)
  })

  test('demands what must be given', async () => {
    await expect(execute(declared, 'copy', 'a')).rejects.toThrow(/required option '--out <directory>'/)
    await expect(execute(declared, 'copy', '--out', 'b')).rejects.toThrow(/missing required argument 'file'/)
  })

  test('is found in its group', async () => {
    await execute(declareGroup('store', 'stores', [declared]), 'store', 'copy', 'a', '--out', 'b')
    expect(received).toMatchObject({ file: 'a' })
  })
})

test('an action that takes other arguments or options than the declared ones does not compile', () => {
  const about = ''
  const shape = { name: 'a', about, options: [value('--store <url>', about)] } as const
  const words = [{ name: '<id>', about }] as const
  const taking =
    <Given extends readonly unknown[]>() =>
    () =>
      Promise.resolve((..._: Given) => 0)
  interface Store {
    readonly store?: string
  }

  declareCommand({ ...shape, action: taking<[Store]>() })
  declareCommand({ ...shape, arguments: words, action: taking<[string, Store]>() })
  // @ts-expect-error the action takes an option that is not declared
  declareCommand({ ...shape, action: taking<[Store & { readonly out?: string }]>() })
  // @ts-expect-error the action does not take the declared option
  declareCommand({ ...shape, action: taking<[object]>() })
  // @ts-expect-error the action takes the option as a flag
  declareCommand({ ...shape, action: taking<[{ readonly store?: true }]>() })
  // @ts-expect-error the action needs an option that may be absent
  declareCommand({ ...shape, action: taking<[{ readonly store: string }]>() })
  // @ts-expect-error the action takes an argument that is not declared
  declareCommand({ ...shape, action: taking<[string, Store]>() })
  // @ts-expect-error the action does not take the declared argument
  declareCommand({ ...shape, arguments: words, action: taking<[number, Store]>() })
})
