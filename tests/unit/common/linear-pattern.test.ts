import { describe, expect, test } from 'vitest'
import { expressionOf, UnknownExpression } from '../../../pretrained/regular-expression.ts'
import { matchesAny } from '../../../experiment/models/layers.ts'
import { matchesGlob } from '../../../datasets/glob.ts'

const long = 'a'.repeat(5000)

describe('a pattern of layers', () => {
  const matches = (pattern: string, name: string) => matchesAny([pattern])({ name })

  test.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['head', 'head', true],
    ['head', 'heads', false],
    ['stage3.*', 'stage3.block1.conv1', true],
    ['stage3.*', 'stage31', false],
    ['*.query', 'encoder.0.query', true],
    ['*.query', 'query', false],
    ['a**b', 'ab', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['(a|b)[c]+', '(a|b)[c]+', true],
  ])('"%s" and "%s": %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected)
  })

  test('of a hundred thousand stars ends', () => {
    const started = process.cpuUsage()
    expect(matches('*'.repeat(100_000), long)).toBe(true)
    expect(matches(`${'*a'.repeat(1000)}*b`, long)).toBe(false)
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000)
  })
})

describe('a pattern of files', () => {
  test.each([
    ['**/train-*.parquet', 'train-0.parquet', true],
    ['**/train-*.parquet', 'a/b/train-0.parquet', true],
    ['**/train-*.parquet', 'a/train-0/x.parquet', false],
    ['*.parquet', 'a/b.parquet', false],
    ['***/x', 'a/b/x', true],
    ['a**/b', 'a/b', true],
    ['a**/b', 'ab', true],
    ['a?.b', 'aX.b', false],
  ])('"%s" and "%s": %s', (pattern, name, expected) => {
    expect(matchesGlob(pattern)(name)).toBe(expected)
  })

  test('of sixty folders ends', () => {
    const started = performance.now()
    expect(matchesGlob(`${'**/'.repeat(60)}b`)(`${'a/'.repeat(1000)}a`)).toBe(false)
    expect(matchesGlob(`${'*'.repeat(100)}b`)(long)).toBe(false)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('an expression of a downloaded file', () => {
  const sources = [
    'q_proj',
    'layers.1.attention.q_proj',
    String.raw`encoder\.layer\.\d+\.attention\.(query|value)`,
    String.raw`layers\.([0-9]|1[01])\.(self_attn|mlp)\..*`,
    '1.attention.*',
    '.*(query|value)$',
    '^classifier',
    '[^.]+',
    'a{2,3}b?',
    'a{2}',
    'a{2,}?',
    '(?:ab)+',
    '[a-c]x|[]-]y',
    String.raw`[\w.]+`,
    'a|',
    '{',
    'a{x}',
    String.raw`\w+\s?\W`,
  ]
  const names = [
    '',
    'a',
    'aa',
    'aaa',
    'aaab',
    'abab',
    'ax',
    '-y',
    '{',
    'a{x}',
    'a.',
    'q_proj',
    'layers.1.attention.q_proj',
    'model.layers.11.mlp.fc1',
    'encoder.layer.10.attention.query',
    'x.classifier',
    'classifier',
  ]

  test.each(sources)('%s matches what JavaScript has it match', (source) => {
    const whole = new RegExp(`^(?:${source.replace('[]-]', String.raw`[\]-]`)})$`)
    const behind = new RegExp(`^(?:.*\\.)?(?:${source.replace('[]-]', String.raw`[\]-]`)})$`)
    for (const name of names) {
      expect([name, expressionOf(source)(name)]).toEqual([name, whole.test(name)])
      expect([name, expressionOf(source, { afterAnyPrefix: true })(name)]).toEqual([name, behind.test(name)])
    }
  })

  test.each([
    '(a+)+b',
    '(a*)*b',
    '(a|a)*b',
    '(a|aa)+$b',
    '((a+)+)+b',
    '(.*)*(.*)*(.*)*b',
    'a?'.repeat(200) + 'a'.repeat(200),
    '(a{1,30}){1,30}b',
  ])('%s ends', (source) => {
    const started = performance.now()
    expressionOf(source, { afterAnyPrefix: true })(long)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test.each([
    ['(', /ends too early|not closed/],
    [')', /closes nothing/],
    ['[a', /ends too early/],
    ['*a', /repeats nothing/],
    ['a**', /follows a repetition/],
    [String.raw`(a)\1`, /"\\1" is not known/],
    ['(?=a)b', /lookaround/],
    ['(?!a)b', /lookaround/],
    ['(?<=a)b', /lookaround/],
    ['(?P<n>a)', /named group/],
    ['[z-a]', /no range/],
    ['a{1001}', /no repetition/],
    ['a{3,2}', /no repetition/],
    ['(((a{1000}){1000}){1000}){1000}', /multiply/],
    ['(((){1000}){1000}){1000}', /multiply/],
    ['('.repeat(100) + ')'.repeat(100), /nested/],
    ['a'.repeat(1001), /1001 characters/],
    ['\\', /ends too early/],
  ])('%s is refused by name', (source, message) => {
    expect(() => expressionOf(source)).toThrow(UnknownExpression)
    expect(() => expressionOf(source)).toThrow(message)
  })
})
