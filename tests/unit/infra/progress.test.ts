import { expect, test } from 'vitest'
import { inPart, Progress, type ProgressStream } from '../../../infra/progress.mjs'
import { until } from '../../support/durable.ts'

function shown(stream: Omit<ProgressStream, 'write'>) {
  const said: string[] = []
  const progress = new Progress({ ...stream, write: (text) => said.push(text) }, 5)
  /** Resolves once so many of the lines have a text in them. */
  const says = (text: string, lines = 1) =>
    until(text, () => said.filter((line) => line.includes(text)).length >= lines)
  return { said, progress, says }
}

test('where lines stay, a step says when it begins and ends, and at intervals that it goes on', async () => {
  const { said, progress, says } = shown({})
  await inPart(3, 9, () => progress.step('building (about a minute)', () => says('so far', 2)))
  expect(said[0]).toBe('zeroshift: [3/9] building (about a minute)\n')
  for (const line of said.slice(1, -1))
    expect(line).toMatch(/^zeroshift: \[3\/9\] building \(about a minute\): \d+ s so far\n$/)
  expect(said.at(-1)).toMatch(/^zeroshift: \[3\/9\] building \(about a minute\): done in \d+\.\d s\n$/)
})

test('a terminal has one line of all that goes on, no longer than it is wide', async () => {
  const { said, progress, says } = shown({ isTTY: true, columns: 60 })
  const clear = '\r\x1b[2K'
  const both = `${clear}zeroshift: [1/2] downloading ... 0 s | [2/2] building ... 0`
  await Promise.all([
    inPart(1, 2, () => progress.step('downloading', () => says('building: done'))),
    inPart(2, 2, () => progress.step('building', () => says(both))),
  ])
  const lines = said.filter((text) => text.endsWith('\n'))
  expect(lines.map((line) => line.replace(/\d+\.\d s/, '1.0 s'))).toEqual([
    `${clear}zeroshift: [2/2] building: done in 1.0 s\n`,
    `${clear}zeroshift: [1/2] downloading: done in 1.0 s\n`,
  ])
  expect(said.at(-1)).toBe(lines[1])
})

test('a step that fails says after how long', async () => {
  const { said, progress } = shown({})
  await expect(progress.step('building', () => Promise.reject(new Error('no compiler')))).rejects.toThrow(
    'no compiler',
  )
  expect(said.at(-1)).toBe('zeroshift: building: failed after 0.0 s\n')
})
