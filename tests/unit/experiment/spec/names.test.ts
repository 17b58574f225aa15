import { describe, expect, test } from 'vitest'
import { UserError } from '../../../../common/errors.ts'
import { sha256 } from '../../../../common/canonical.ts'
import { namedSamples } from '../../../../experiment/spec/names.ts'

const names = ['train/cat/1.png', 'train/cat/2.png', 'train/dog/1.png', 'test/cat/9.png']
const bytesOf = (text: string) => new TextEncoder().encode(text)
const found = (text: string, expected?: string) =>
  namedSamples(bytesOf(text), 'forget.txt', { names, trainable: 3, expected })

function problems(text: string, expected?: string) {
  try {
    found(text, expected)
  } catch (error) {
    if (error instanceof UserError) return error.problems
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a file of names', () => {
  test('gives the numbers in ascending order, by whole paths or their ends', () => {
    const text = '# forget these\ndog/1.png\n\n  train/cat/1.png\r\n./cat/2.png\n'
    expect(found(text)).toEqual({ sha256: sha256(bytesOf(text)), indices: [0, 1, 2] })
  })

  test.each([
    ['cat/3.png\n', 1, 'there is no sample "cat/3.png"; did you mean "cat/1.png"?'],
    ['train/cats/2.png\n', 1, 'did you mean "train/cat/2.png"?'],
    ['nothing like it at all\n', 1, 'names are such as train/cat/1.png, train/cat/2.png'],
    ['\n1.png\n', 2, 'is the end of several names, such as train/cat/1.png and train/dog/1.png'],
    ['cat/9.png\n', 1, 'is a test sample, on which no model trains'],
    ['cat/1.png\ntrain/cat/1.png\n', 2, 'is the sample of line 1 already; remove one'],
  ])('%j is refused with its line', (text, line, message) => {
    expect(problems(text)).toEqual([
      expect.objectContaining({
        file: 'forget.txt',
        line,
        message: expect.stringContaining(message) as string,
      }),
    ])
  })

  test('without a name is refused, and so is one with another digest', () => {
    expect(problems('# nothing\n')[0]?.message).toContain('the file names no sample')
    expect(problems('cat/1.png\n', 'a'.repeat(64))[0]).toMatchObject({ path: 'split.sha256' })
  })

  test('with many mistakes is refused with the first ten', () => {
    const all = problems(Array.from({ length: 30 }, (_, i) => `bird/${i}.png`).join('\n'))
    expect(all).toHaveLength(11)
    expect(all.at(-1)?.message).toBe('20 more of them are wrong')
  })
})
