import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sha256 } from '../../../common/canonical.ts'
import { fillFolder, packFolder, unpackFolder } from '../../../programs/folder.ts'
import { testDirectory } from '../../support/directories.ts'

const mostBytes = 1e6
const long = `${'long-'.repeat(60)}name`
const files: Readonly<Record<string, string>> = {
  'a.txt': 'first',
  'b/c.bin': '\0\x01\xff',
  'b/empty': '',
  [`b/${long.slice(0, 200)}`]: 'in a long path',
  [`${long.slice(0, 120)}/${long.slice(0, 150)}`]: 'in a longer one',
  'größe.txt': 'letters',
}

function written(names: readonly string[]): string {
  const folder = testDirectory()
  for (const name of names) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), files[name] ?? '', 'latin1')
  }
  return folder
}

test('equal files give equal bytes, whatever their order, times and modes', async () => {
  const one = written(Object.keys(files))
  const other = written(Object.keys(files).reverse())
  utimesSync(join(other, 'a.txt'), 1, 1)
  chmodSync(join(other, 'b/c.bin'), 0o700)
  mkdirSync(join(other, 'nothing'))
  const packed = await packFolder(one, { mostBytes })
  expect(packed).toEqual(await packFolder(other, { mostBytes }))
  // The bytes are part of the results of stages, and therefore never change.
  expect(sha256(packed)).toBe('2fae2d9d78b9a4959806ac0fe179ff1de51412028b1ab473264c2c6fab776a9e')
})

test('a packed folder is restored', async () => {
  const packed = await packFolder(written(Object.keys(files)), { mostBytes })
  const folder = join(testDirectory(), 'new')
  await unpackFolder(packed, folder)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  )
  expect(names.sort()).toEqual(Object.keys(files).sort())
  for (const name of names) expect(readFileSync(join(folder, name), 'latin1')).toBe(files[name])
})

test('one child alone is packed, as a file or as a folder', async () => {
  const folder = written(Object.keys(files))
  const [file, below] = [testDirectory(), testDirectory()]
  await unpackFolder(await packFolder(folder, { mostBytes, only: 'a.txt' }), file)
  expect(readdirSync(file)).toEqual(['a.txt'])
  await unpackFolder(await packFolder(folder, { mostBytes, only: 'b' }), below)
  expect(readdirSync(below)).toEqual(['b'])
  expect(readdirSync(join(below, 'b'))).toHaveLength(3)
})

test.each(['../a', '/a', 'a/../../b', ''])('the path %j is refused', async (path) => {
  await expect(fillFolder({ [path]: Buffer.from('a') }, testDirectory())).rejects.toThrow(
    'leads out of its folder',
  )
})

test('a damaged file is refused', async () => {
  const packed = Buffer.from(await packFolder(written(['a.txt']), { mostBytes }))
  const cut = packed.subarray(0, 600)
  await expect(unpackFolder(cut, testDirectory())).rejects.toThrow('the packed folder is damaged at byte')
  packed[3] = 7
  await expect(unpackFolder(packed, testDirectory())).rejects.toThrow(
    'the packed folder is damaged at byte 0',
  )
})

test('nothing is overwritten', async () => {
  const folder = written(['a.txt'])
  await expect(fillFolder({ 'a.txt': Buffer.from('second') }, folder)).rejects.toThrow('EEXIST')
})
