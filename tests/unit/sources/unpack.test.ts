import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { unpack } from '../../../sources/unpack.ts'
import { testDirectory } from '../../support/directories.ts'

const limits = { maximumBytes: 1000, maximumFiles: 4 }
let folder: string
let into: string
beforeEach(async () => {
  folder = testDirectory()
  into = join(folder, 'into')
  await mkdir(into)
})

/** Archives made by Python, which writes any name and kind that it is told. */
const python = (script: string, file: string) =>
  execFileSync('python3', [
    '-c',
    `import tarfile, zipfile, io, sys, stat\npath = sys.argv[1]\n${script}`,
    file,
  ])

const tarOf = (...entries: readonly string[]) =>
  [
    'with tarfile.open(path, "w:gz") as archive:',
    '  def add(name, data=b"x", kind=tarfile.REGTYPE, link="", size=None):',
    '    info = tarfile.TarInfo(name); info.type = kind; info.linkname = link; info.size = len(data) if kind == tarfile.REGTYPE else 0',
    '    archive.addfile(info, io.BytesIO(data))',
    ...entries.map((entry) => `  ${entry}`),
  ].join('\n')

const zipOf = (...entries: readonly string[]) =>
  [
    'with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:',
    '  def add(name, data=b"x", mode=0o100644):',
    '    info = zipfile.ZipInfo("placeholder"); info.filename = name; info.external_attr = mode << 16; info.compress_type = zipfile.ZIP_DEFLATED',
    '    archive.writestr(info, data)',
    ...entries.map((entry) => `  ${entry}`),
  ].join('\n')

describe.each([
  ['tgz', tarOf],
  ['zip', zipOf],
])('a %s', (ending, archiveOf) => {
  const unpacked = async (...entries: readonly string[]) => {
    const file = join(folder, `a.${ending}`)
    python(archiveOf(...entries), file)
    await unpack(file, into, limits)
    return (await readdir(into, { recursive: true })).sort()
  }

  test('gives files and folders, without what a Mac adds', async () => {
    expect(
      await unpacked('add("a/b.png", b"bytes")', 'add("a/._b.png")', 'add("__MACOSX/a/b")', 'add("./c.txt")'),
    ).toEqual(['a', 'a/b.png', 'c.txt'])
    expect(await readFile(join(into, 'a/b.png'), 'utf8')).toBe('bytes')
  })

  test.each([
    ['a name that leads out', 'add("../out.txt")'],
    ['a name that leads out from within', 'add("a/../../out.txt")'],
    ['an absolute name', 'add("/tmp/zeroshift-out.txt")'],
  ])('with %s is refused', async (_, entry) => {
    await expect(unpacked('add("first.txt")', entry)).rejects.toThrow(UserError)
    expect(await readdir(folder)).toEqual([`a.${ending}`, 'into'])
  })

  test('with tens of thousands of empty files or folders is refused', async () => {
    const file = join(folder, `a.${ending}`)
    const most = { maximumBytes: 1e9, maximumFiles: 1e9 }
    python(archiveOf('[add(f"{i}", b"") for i in range(10001)]'), file)
    await expect(unpack(file, into, most)).rejects.toThrow(
      /more than 10000 files of less than 64 bytes; unpack/,
    )
    if (ending === 'zip') expect(await readdir(into)).toEqual([])
  })

  test('with too many bytes or files is refused', async () => {
    await expect(unpacked('add("a", b"x" * 1001)')).rejects.toThrow(
      /holds more than 1000 bytes; unpack it by hand/,
    )
    await expect(unpacked(...Array.from({ length: 5 }, (_, i) => `add("${i}")`))).rejects.toThrow(
      /holds more than 4 files/,
    )
  })
})

test.each([
  [
    'a symbolic link in a tar',
    'a.tar',
    tarOf('add("link", kind=tarfile.SYMTYPE, link="/etc")').replace('w:gz', 'w'),
  ],
  ['a hard link', 'a.tgz', tarOf('add("a")', 'add("link", kind=tarfile.LNKTYPE, link="a")')],
  ['a device', 'a.tgz', tarOf('add("device", kind=tarfile.CHRTYPE)')],
  ['a symbolic link in a zip', 'a.zip', zipOf('add("link", b"/etc", 0o120777)')],
])('%s refuses the archive', async (_, name, script) => {
  const file = join(folder, name)
  python(script, file)
  await expect(unpack(file, into, limits)).rejects.toThrow(
    /holds "(link|device)", which is a link or a device; expected files and folders/,
  )
})

test('an entry that says less than it is', async () => {
  const file = join(folder, 'bomb.zip')
  python(zipOf('add("a", b"x" * 100000)'), file)
  const bytes = await readFile(file)
  const entry = bytes.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'))
  bytes.writeUInt32LE(10, entry + 24)
  await writeFile(file, bytes)
  await expect(unpack(file, into, limits)).rejects.toThrow(UserError)
})

test('what is no archive is a mistake, a file that is not there is none', async () => {
  await writeFile(join(folder, 'a.zip'), 'not a zip')
  await writeFile(join(folder, 'a.tgz'), 'not a tar')
  await expect(unpack(join(folder, 'a.zip'), into, limits)).rejects.toThrow(UserError)
  await expect(unpack(join(folder, 'a.tgz'), into, limits)).rejects.toThrow(UserError)
  await expect(unpack(join(folder, 'b.zip'), into, limits)).rejects.not.toThrow(UserError)
})

test('nothing is written through a link that is there already', async () => {
  await symlink(folder, join(into, 'a'))
  const file = join(folder, 'a.zip')
  python(zipOf('add("a", b"bytes")'), file)
  await expect(unpack(file, into, limits)).rejects.toThrow(/EEXIST/)
})
