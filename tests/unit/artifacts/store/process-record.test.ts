import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { S3Store } from '../../../../artifacts/store/s3-store.ts'
import { serverKeys, publishServer } from '../../../../artifacts/store/served-store.ts'
import { openStore } from '../../../../artifacts/store/open-store.ts'
import { noteStack, runningStack, trackingHere } from '../../../../cli/workspace/workspace.ts'
import { existingServer } from '../../../../cli/server/temporal.ts'
import { testDirectory } from '../../../support/directories.ts'
import { ignoredRecord } from '../../../../artifacts/store/events.ts'

const told: string[] = []
ignoredRecord.subscribe((message) => told.push(message))

const before = process.cwd()
let directory: string
beforeEach(() => {
  directory = realpathSync(testDirectory())
  process.chdir(directory)
  told.length = 0
})
afterEach(() => {
  process.chdir(before)
})

const hasProc = existsSync('/proc/self/stat')
const results = () => join(directory, '.zeroshift/store')
const at = (name: string) => join('.zeroshift', name)

/** Both notes, as a stack of this process writes them, and what others make of each. */
const notes = [
  {
    name: 's3.json',
    path: () => join(directory, '.zeroshift/s3.json'),
    write: () => publishServer(results(), 'http://127.0.0.1:7070'),
    isBelieved: () => openStore(results()) instanceof S3Store,
    /** Fields of the process. */
    writer: (note: Json): Json => note.server as Json,
    addresses: { endpoint: (note: Json, value: string) => ((note.server as Json).endpoint = value) },
  },
  {
    name: 'stack.json',
    path: () => at('stack.json'),
    write: () => noteStack({ address: '127.0.0.1:7233', shared: true, mlflow: 'http://127.0.0.1:5000' }),
    isBelieved: () => existingServer(undefined) !== undefined && trackingHere() !== undefined,
    writer: (note: Json) => note,
    addresses: {
      address: (note: Json, value: string) => (note.address = value.replace('http://', '')),
      mlflow: (note: Json, value: string) => (note.mlflow = value),
    },
  },
]
type Json = Record<string, unknown>

function edit(path: string, change: (note: Json) => void): void {
  const note = JSON.parse(readFileSync(path, 'utf8')) as Json
  change(note)
  writeFileSync(path, JSON.stringify(note))
}

describe.each(notes)('$name', ({ path, write, isBelieved, writer, addresses }) => {
  test('is believed while its process is there, and taken back', () => {
    const forget = write()
    expect(isBelieved()).toBe(true)
    forget()
    expect(isBelieved()).toBe(false)
    expect(told).toEqual([])
  })

  test.each(['http://127.8.9.1:7000', 'http://localhost:7000', 'http://[::1]:7000'])(
    'may lead to %s',
    (url) => {
      write()
      for (const [name, set] of Object.entries(addresses)) {
        edit(path(), (note) => set(note, url))
        expect([name, isBelieved()]).toEqual([name, true])
      }
    },
  )

  test.each([
    'http://192.0.2.1:7000',
    'http://example.org:7000',
    'http://localhost.example.org:7000',
    'http://127.0.0.1.example.org:7000',
    'http://0.0.0.0:7000',
    'http://[::ffff:192.0.2.1]:7000',
    'http://127.0.0.1:80@example.org:7000',
    'nonsense',
  ])('never leads to %s', (url) => {
    for (const set of Object.values(addresses)) {
      write()
      edit(path(), (note) => set(note, url))
      expect(isBelieved()).toBe(false)
      expect(told.at(-1)).toContain(path())
      rmSync(path())
    }
  })

  test('is ignored where it is a copy, though its process is there', () => {
    write()
    cpSync('.zeroshift', 'elsewhere/.zeroshift', { recursive: true, preserveTimestamps: true })
    const original = directory
    directory = join(original, 'elsewhere')
    process.chdir(directory)
    expect(isBelieved()).toBe(false)
    expect(told).toEqual([expect.stringContaining(`it was written in ${original}/.zeroshift and is a copy`)])
    expect(told[0]).toContain(path())
    process.chdir(original)
    directory = original
    expect(isBelieved()).toBe(true)
  })

  test.each([
    ['others may write to it', (file: string) => chmodSync(file, 0o666)],
    ['others may write to it', (file: string) => chmodSync(file, 0o620)],
    ['symbolic link', linked],
    ['no regular file', fifo],
    ['no process record of this version', (file: string) => writeFileSync(file, '{"address"')],
    ['no process record of this version', (file: string) => writeFileSync(file, '[]')],
    ['no process record of this version', (file: string) => edit(file, (note) => delete note.folder)],
    ['no process record of this version', (file: string) => edit(file, (note) => (note.more = 1))],
    ['bytes, expected', (file: string) => edit(file, (note) => (note.folder = 'x'.repeat(100_000)))],
  ])('is ignored with one warning: %s', (reason, spoil) => {
    write()
    spoil(path())
    expect(isBelieved()).toBe(false)
    expect(isBelieved()).toBe(false)
    expect(told).toEqual([expect.stringMatching(reason)])
    expect(told[0]).toContain(path())
  })

  test.skipIf(process.getuid?.() !== 0)('is ignored where it belongs to another user', () => {
    write()
    execFileSync('chown', ['65534', path()])
    expect(isBelieved()).toBe(false)
    expect(told).toEqual([expect.stringContaining('belongs to the user 65534')])
  })

  test.skipIf(!hasProc)('counts for nothing where another process has the number of its own', () => {
    write()
    const other = spawn('sleep', ['60'])
    edit(path(), (note) => (writer(note).pid = other.pid))
    expect(isBelieved()).toBe(false)
    other.kill()
    edit(path(), (note) => Object.assign(writer(note), { pid: process.pid, start: null }))
    expect(isBelieved()).toBe(false)
    expect(told).toEqual([])
    // A command or `up` that begins now writes its own.
    write()
    expect(isBelieved()).toBe(true)
  })

  test('is written for its owner alone, whatever the umask, over what is there', () => {
    mkdirSync('.zeroshift')
    symlinkSync(join(directory, 'target'), path())
    const umask = process.umask(0)
    try {
      write()
    } finally {
      process.umask(umask)
    }
    expect(isBelieved()).toBe(true)
    expect(existsSync('target')).toBe(false)
  })
})

function linked(file: string): void {
  renameSync(file, `${file}.real`)
  symlinkSync(join(directory, `${file}.real`.replace(`${directory}/`, '')), file)
}

function fifo(file: string): void {
  rmSync(file)
  execFileSync('mkfifo', [file])
}

test('a store whose process record is not trusted is read and written as the directory that it is', async () => {
  publishServer(results(), 'http://127.0.0.1:7070')
  edit(
    join(directory, '.zeroshift/s3.json'),
    (note) => ((note.server as Json).endpoint = 'http://192.0.2.1:7'),
  )
  const store = openStore(results())
  expect(store).toBeInstanceOf(FileStore)
  await store.put('a', new Uint8Array([1]))
  expect(readFileSync(join(results(), 'a'))).toEqual(Buffer.from([1]))
})

test("keys of a copy are not used again: the original's owner knows them", () => {
  const keys = serverKeys(results())
  expect(serverKeys(results())).toEqual(keys)
  cpSync('.zeroshift', 'elsewhere/.zeroshift', { recursive: true })
  const other = serverKeys(join(directory, 'elsewhere/.zeroshift/store'))
  expect(other.secretAccessKey).not.toBe(keys.secretAccessKey)
  expect(runningStack()).toBeUndefined()
})
