import { beforeEach, describe, expect, test } from 'vitest'
import { columns, printJson, printProblem } from '../../../../cli/output/print.ts'
import { withoutCredentials } from '../../../../common/credentials.ts'
import { UserError } from '../../../../common/errors.ts'
import { oneLine, visible } from '../../../../common/terminal-text.ts'
import { captureOutput, type CapturedOutput } from '../../../support/output.ts'

let output: CapturedOutput
beforeEach(() => {
  output = captureOutput('stdout', 'stderr')
})

const hostile = 'a\x1b]0;title\x07b\x1b[2Jc\x9b31md\r\u202ee\u2066f\x7fg\0'
const harmless = String.raw`a\x1b]0;title\x07b\x1b[2Jc\x9b31md\r\u202ee\u2066f\x7fg\x00`

describe('what is printed', () => {
  test('has its control characters written out', () => {
    expect(visible(hostile)).toBe(harmless)
    expect(visible('\x1b[31mred\x1b[39m')).toBe(String.raw`\x1b[31mred\x1b[39m`)
    expect(visible('Žluťoučký kůň — 猫 🐈 ‖ΔW‖\n\tnext')).toBe('Žluťoučký kůň — 猫 🐈 ‖ΔW‖\n\tnext')
  })

  test('keeps colours where there are some, and nothing else that a terminal obeys', () => {
    expect(visible('\x1b[31mred\x1b[39m', { colour: true })).toBe('\x1b[31mred\x1b[39m')
    for (const other of ['\x1b[8m', '\x1b[2J', '\x1b[H', '\x1b[38;5;1m', '\x1b]8;;x\x07', '\x1bc'])
      expect(visible(other, { colour: true })).not.toContain('\x1b')
  })

  test('is one line where a name could make another', () => {
    expect(oneLine('a\nb\r\nc\td')).toBe(String.raw`a\nb\r\nc\td`)
    expect(
      columns([
        ['x\ny', '1'],
        ['z', '2'],
      ]),
    ).toBe(`${String.raw`x\ny`}  1\nz     2`)
  })

  test('of problems is one line for each', () => {
    printProblem(
      new UserError([
        { file: `-S ${hostile}=1`, message: 'one\n/etc/passwd:1:1: two' },
        { message: hostile },
      ]),
    )
    expect(output.text.split('\n')).toEqual([
      String.raw`-S ${harmless}=1: one\n/etc/passwd:1:1: two`,
      harmless,
      '',
    ])
  })

  test('of problems has no word of any length in full', () => {
    const cat = '🐈'.repeat(5000)
    printProblem(
      new UserError([
        { file: `/${'a'.repeat(4000)}/b`, message: `no run '${cat}'; it has ${'c'.repeat(200)}` },
      ]),
    )
    expect(output.text).toBe(
      `/${'a'.repeat(59)}…(4004 characters)…${'a'.repeat(57)}/b: no run '${'🐈'.repeat(59)}…(5003 characters)…${'🐈'.repeat(58)}'; it has ${'c'.repeat(200)}\n`,
    )
  })

  test('as JSON means the same, and steers no terminal', () => {
    const value = { [hostile]: hostile, quote: '"\n' }
    printJson(value)
    expect(output.text).toMatch(/^[ -~]*\n$/)
    expect(JSON.parse(output.text)).toEqual(value)
  })
})

describe('credentials', () => {
  test.each([
    ['https://user:pass@host/a', 'https://…@host/a'],
    ['https://user:pa@ss@host/a', 'https://…@host/a'],
    ['https://user:pa/ss@host/a', 'https://…@host/a'],
    ['s3://key:secret@bucket/a', 's3://…@bucket/a'],
    [
      'https://b.s3.amazonaws.com/a?X-Amz-Credential=AKIA%2F2026&X-Amz-Date=2026&X-Amz-Signature=abc',
      'https://b.s3.amazonaws.com/a?X-Amz-Credential=…&X-Amz-Date=2026&X-Amz-Signature=…',
    ],
    ['https://h/a?key=1&token=2&x=3#access_token=4', 'https://h/a?key=…&token=…&x=3#access_token=…'],
    [
      'https://h/a?X-Amz-Security-Token=1&AWSAccessKeyId=2',
      'https://h/a?X-Amz-Security-Token=…&AWSAccessKeyId=…',
    ],
    ['see "https://h/a?sig=1", then b', 'see "https://h/a?sig=…", then b'],
  ])('%s is shown as %s', (text, shown) => {
    expect(withoutCredentials(text)).toBe(shown)
    expect(new UserError(text).problems[0]?.message).toBe(shown)
    expect(visible(text)).toBe(shown)
  })

  test.each([
    ['https:/user:pass@host/a', 'https:/…@host/a'],
    ['https:/user:pa/ss@host/a/adapter_config.json', 'https:/…@host/a/adapter_config.json'],
    ['/tmp/s3:/key:secret@bucket/a', '/tmp/s3:/…@bucket/a'],
  ])('a URL that was taken for a path, %s, is shown as %s', (text, shown) => {
    expect(visible(text)).toBe(shown)
    printJson({ [text]: text })
    expect(JSON.parse(output.text)).toEqual({ [shown]: shown })
  })

  test.each([
    'at model.from:/data/a@2/b',
    'c:/users/a@b',
    'hf://datasets/owner/name@main/train',
    'https://host:8080/icons/a@2x.png',
    'https://host/a.zip#sha256=0123',
    'https://host/a?page=2&monkey=1',
    'methods[0].rank=8',
    'a: b@c.d',
  ])('%s is shown as it is', (text) => {
    expect(withoutCredentials(text)).toBe(text)
    expect(visible(text)).toBe(text)
  })
})
