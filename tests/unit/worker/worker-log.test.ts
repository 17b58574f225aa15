import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { eachLine, isJsonLog, jsonLine } from '../../../worker/worker-log.mjs'

/** The lines of a log that a worker with these settings wrote in these pieces. */
async function passedOn(pieces: readonly (string | Buffer)[], environment: NodeJS.ProcessEnv = {}) {
  const output = Readable.from(pieces.map((piece) => Buffer.from(piece)))
  let text = ''
  eachLine(output, (line) => (text += jsonLine(line, { pid: 7, environment })))
  await finished(output)
  return text.split('\n').filter((line) => line !== '')
}
const messages = (lines: readonly string[]) => lines.map((line) => (JSON.parse(line) as { msg: string }).msg)

test("a worker's own lines are handed on as they are, whatever they come in", async () => {
  const own = ['{"level":"info","msg":"a\u2028b"}', '{"level":"warn","msg":"grün"}']
  const bytes = Buffer.from(`${own.join('\n')}\n`)
  const each = Array.from(bytes, (byte) => Buffer.of(byte))
  expect(await passedOn(each)).toEqual(own)
  expect(await passedOn([bytes])).toEqual(own)
})

test('other lines become JSON with the level that they begin with', async () => {
  const lines = await passedOn(
    [
      'I0000 00:00:1795967539.501453   20725 port.cc:153] oneDNN custom operations are on.\r\n',
      '2026-11-29 15:52:19.123456: W tensorflow/core/framework/cpu_allocator_impl.cc:84] Allocation\n',
      'F0000 00:00:1795967539.501453 1 check.cc:1] failed\nterminate called "so"\n\n{ not JSON\n[1]\nhalf',
    ],
    { ZEROSHIFT_LOG: 'info' },
  )
  const about = { source: 'stderr', pid: 7, time: expect.stringMatching(/^\d{4}-.*Z$/) as string }
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      ...about,
      level: 'info',
      msg: 'I0000 00:00:1795967539.501453   20725 port.cc:153] oneDNN custom operations are on.',
    },
    {
      ...about,
      level: 'warn',
      msg: '2026-11-29 15:52:19.123456: W tensorflow/core/framework/cpu_allocator_impl.cc:84] Allocation',
    },
    { ...about, level: 'error', msg: 'F0000 00:00:1795967539.501453 1 check.cc:1] failed' },
    { ...about, level: 'warn', msg: 'terminate called "so"' },
    { ...about, level: 'warn', msg: '{ not JSON' },
    { ...about, level: 'warn', msg: '[1]' },
    { ...about, level: 'warn', msg: 'half' },
  ])
})

test('what TensorFlow says at its start is in the log only where it has such lines', async () => {
  const start = [
    'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n',
    'I0000 00:00:1.5 1 port.cc:153] oneDNN custom operations are on\n',
  ]
  expect(await passedOn(start)).toEqual([])
  expect(messages(await passedOn(start, { ZEROSHIFT_LOG: 'debug' }))).toHaveLength(2)
  expect(await passedOn(['W0000 00:00:1.5 a warning'], { ZEROSHIFT_LOG: 'error' })).toEqual([])
})

test('a line that names no level is always in the log', async () => {
  const said = ['terminate called after throwing an instance of std::bad_alloc']
  expect(messages(await passedOn(said, { ZEROSHIFT_LOG: 'error' }))).toEqual(said)
})

test('a log is JSON unless it goes to a terminal, or as the settings say', () => {
  expect(isJsonLog({}, false)).toBe(true)
  expect(isJsonLog({}, true)).toBe(false)
  expect(isJsonLog({ ZEROSHIFT_LOG_FORMAT: 'json' }, true)).toBe(true)
  expect(isJsonLog({ ZEROSHIFT_LOG_FORMAT: 'text' }, false)).toBe(false)
})
