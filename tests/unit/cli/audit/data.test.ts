import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { npy, zip } from '../../../support/archives.ts'
import { audit, type Attempt } from '../../../support/audit.ts'

/** Data sets that are damaged, hostile or of another kind than the config says. */

const written = fileURLToPath(new URL('../../../reference/data', import.meta.url))
const parquet = readFileSync(join(written, 'arrow/none-1.parquet'))
const png = readFileSync(join(written, 'images/colour.png'))

type Files = Readonly<Record<string, string | Uint8Array>>

/** A run on a data set in the folder `data`. */
function on(data: string, says: RegExp, files: Files, prepare?: Attempt['prepare']): Attempt {
  return {
    args: ['run', 'small.yaml', '--dry-run', '-S', 'dataDirectory=data', '-S', `data=${data}`],
    says,
    files: {
      'data/.keep': '',
      ...Object.fromEntries(Object.entries(files).map(([name, content]) => [`data/${name}`, content])),
    },
    ...(prepare && { prepare }),
  }
}

const images = (n: number, side = 4, more: readonly number[] = []) =>
  npy('|u1', [n, side, side, ...more], Buffer.alloc(n * side * side * more.reduce((a, b) => a * b, 1), 7))
const labels = (values: readonly number[]) => npy('|u1', [values.length], Buffer.from(values))
const whole = { 'images.npy': images(8), 'labels.npy': labels([0, 1, 2, 3, 0, 1, 2, 3]) }
const NPZ = '{name: npz, test: 0.25}'
const npz = (says: RegExp, members: Readonly<Record<string, Buffer>>, claims?: Parameters<typeof zip>[1]) =>
  on(NPZ, says, { 'a.npz': zip({ ...whole, ...members }, claims) })
const bytes = (file: Uint8Array, says: RegExp) => on(NPZ, says, { 'a.npz': file })
const archive = zip(whole)

audit('npz', {
  'no file': on(NPZ, /data.*\.npz/, {}),
  'two files': on(NPZ, /a\.npz.*b\.npz|two|several|2 /, { 'a.npz': archive, 'b.npz': archive }),
  'an empty file': bytes(Buffer.alloc(0), /a\.npz.*(zip archive|empty)/),
  zeros: bytes(Buffer.alloc(500), /a\.npz.*is no whole zip archive/),
  'a file without its end': bytes(archive.subarray(0, -30), /a\.npz.*is no whole zip archive/),
  'a file without its beginning': bytes(archive.subarray(30), /a\.npz.*is no whole zip archive/),
  'half a file, and its end': bytes(
    Buffer.concat([archive.subarray(0, 100), archive.subarray(-22)]),
    /a\.npz.*/,
  ),
  'no member': bytes(zip({}), /a\.npz.*/),
  'a member that leads out': npz(/a\.npz.*(labels|member|class|\.\.)/, {
    '../../pwned.npy': images(1),
    'labels.npy': Buffer.alloc(0),
  }),
  'a claim of 4 GB': npz(/a\.npz.*/, {}, { size: 0xfffffff0 }),
  'a claim of no bytes': npz(/a\.npz.*/, {}, { size: 0 }),
  'another checksum': npz(/a\.npz.*checksum/, {}, { crc: 1 }),
  'a bomb': npz(/a\.npz.*/, { 'images.npy': Buffer.alloc(30_000_000) }),
  'no magic': npz(/a\.npz.*images.*NUMPY/, { 'images.npy': Buffer.from('hello hello hello') }),
  'a later version': npz(/a\.npz.*version 9, expected 1 to 3/, {
    'images.npy': Buffer.from('\x93NUMPY\x09\x00\x00\x00\x00\x00', 'latin1'),
  }),
  'an open header': npz(/a\.npz.*images/, {
    'images.npy': Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00\x20\x00', 'latin1'),
      Buffer.from('{'.repeat(32)),
    ]),
  }),
  'a header that goes on for ever': npz(/a\.npz.*truncated/, {
    'images.npy': Buffer.from('\x93NUMPY\x02\x00\xff\xff\xff\xff', 'latin1'),
  }),
  'an object': npz(/a\.npz.*images/, { 'images.npy': npy('|O', [8], Buffer.from('cos\nsystem\n')) }),
  'numbers as text': npz(/a\.npz.*images/, {
    'images.npy': npy('<U3', [8, 4, 4], Buffer.alloc(8 * 16 * 12)),
  }),
  'complex numbers': npz(/a\.npz.*images/, { 'images.npy': npy('<c8', [8, 4, 4], Buffer.alloc(8 * 16 * 8)) }),
  'no dimension': npz(/a\.npz has an array images that has no dimensions, expected \[n, height, width\]/, {
    'images.npy': npy('|u1', [], Buffer.alloc(1)),
  }),
  'labels of no dimension': npz(/a\.npz has an array labels that has no dimensions, expected one label/, {
    'labels.npy': npy('|u1', [], Buffer.alloc(1)),
  }),
  'five dimensions': npz(/a\.npz.*images/, { 'images.npy': images(8, 4, [3, 2]) }),
  'two channels': npz(/a\.npz.*images/, { 'images.npy': images(8, 4, [2]) }),
  'no images': npz(/a\.npz.*(empty|images)/, { 'images.npy': images(0) }),
  'a side of no pixels': npz(/a\.npz.*(empty|images)/, {
    'images.npy': npy('|u1', [8, 0, 4], Buffer.alloc(0)),
  }),
  'fewer values than it claims': npz(/a\.npz.*images/, {
    'images.npy': npy('|u1', [8, 4, 4], Buffer.alloc(9)),
  }),
  'more values than it claims': npz(/a\.npz.*images/, {
    'images.npy': npy('|u1', [8, 4, 4], Buffer.alloc(999)),
  }),
  'a size beyond all numbers': npz(/a\.npz.*images/, {
    'images.npy': npy('|u1', [2 ** 31, 2 ** 31, 2 ** 31], Buffer.alloc(9)),
  }),
  'a size below 0': npz(/a\.npz.*images/, { 'images.npy': npy('|u1', [-8, 4, 4], Buffer.alloc(128)) }),
  'labels of more dimensions': npz(/a\.npz.*labels.*one label an image/s, {
    'labels.npy': npy('|u1', [8, 2], Buffer.alloc(16)),
  }),
  'one label too few': npz(/a\.npz.*label/, { 'labels.npy': labels([0, 1, 2, 3, 0, 1, 2]) }),
  'labels below 0': npz(/a\.npz.*label/, {
    'labels.npy': npy('|i1', [8], Buffer.from([255, 0, 1, 2, 3, 0, 1, 2])),
  }),
  'labels between numbers': npz(/a\.npz.*label/, {
    'labels.npy': npy('<f4', [8], Buffer.from(new Float32Array([0.5, 0, 1, 2, 3, 0, 1, 2]).buffer)),
  }),
  'labels that are no numbers': npz(/a\.npz.*label/, {
    'labels.npy': npy('<f4', [8], Buffer.from(new Float32Array([NaN, 0, 1, 2, 3, 0, 1, 2]).buffer)),
  }),
  'a label of 4 billion': npz(/a\.npz.*label/, {
    'labels.npy': npy('<u4', [8], Buffer.from(new Uint32Array([4e9, 0, 1, 2, 3, 0, 1, 2]).buffer)),
  }),
  'a file that is named and is not there': on('{name: npz, file: b.npz, test: 0.2}', /b\.npz/, {
    'a.npz': archive,
  }),
  'a file elsewhere': on('{name: npz, file: ../small.yaml, test: 0.2}', /\.\.\/small\.yaml/, {}),
  'a file with controls': on('{name: npz, file: "a\\e[2J", test: 0.2}', /a\\x1b\[2J/, {}),
  'an array that is not there': on('{name: npz, images: pixels, test: 0.2}', /pixels/, { 'a.npz': archive }),
  'fewer names than classes': on('{name: npz, test: 0.2, classes: [a, b]}', /a\.npz|data\.classes/, {
    'a.npz': archive,
  }),
})

const cifar = '{name: cifar10, train: [a.bin], test: [b.bin]}'
const records = (n: number, label = 0) =>
  Buffer.concat(Array.from({ length: n }, () => Buffer.from([label, ...Buffer.alloc(3072)])))
audit('CIFAR', {
  'no file': on(cifar, /a\.bin/, {}),
  'one file of two': on(cifar, /b\.bin/, { 'a.bin': records(9) }),
  'an empty file': on(cifar, /a\.bin/, { 'a.bin': '', 'b.bin': records(9) }),
  'part of a record': on(cifar, /a\.bin/, { 'a.bin': records(9).subarray(5), 'b.bin': records(9) }),
  'a stray label': on(cifar, /a\.bin.*(label|class)/, { 'a.bin': records(9, 10), 'b.bin': records(9) }),
  'another kind of records': on('{name: cifar100}', /train\.bin/, {
    'train.bin': records(9),
    'test.bin': records(9),
  }),
  'an archive': on(cifar, /a\.bin/, { 'a.bin': archive, 'b.bin': archive }),
  'a file elsewhere': on(
    '{name: cifar10, train: [../a], test: [b]}',
    /"\.\.\/a" is a path; give the file's name/,
    {},
  ),
})

const PARQUET = '{name: parquet, train: [a.parquet], test: 0.2}'
const damaged = (says: RegExp, file: Uint8Array) => on(PARQUET, says, { 'a.parquet': file })
audit('parquet', {
  'no file': on(PARQUET, /a\.parquet|parquet file/, {}),
  'an empty file': damaged(/a\.parquet/, Buffer.alloc(0)),
  'no magic': damaged(/a\.parquet/, Buffer.alloc(100, 1)),
  'magic alone': damaged(/a\.parquet/, Buffer.from('PAR1PAR1')),
  'a footer of 4 GB': damaged(/a\.parquet/, Buffer.from('PAR1\xff\xff\xff\xffPAR1', 'latin1')),
  'a file without its end': damaged(/a\.parquet/, parquet.subarray(0, -20)),
  'a file without its middle': damaged(
    /a\.parquet/,
    Buffer.concat([parquet.subarray(0, 50), parquet.subarray(-400)]),
  ),
  'a footer of zeros': damaged(
    /a\.parquet/,
    Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(64), Buffer.from([64, 0, 0, 0]), Buffer.from('PAR1')]),
  ),
  'a column that is not there': on(
    '{name: parquet, train: [a.parquet], test: 0.2, image: pixels}',
    /pixels/,
    { 'a.parquet': parquet },
  ),
  'a pattern that leads out': on('{name: parquet, train: ["../*.parquet"], test: 0.2}', /\.\.\/\*\.parquet/, {
    'a.parquet': parquet,
  }),
  'a pattern that matches slowly': on(`{name: parquet, train: ["${'*a'.repeat(40)}"], test: 0.2}`, /\*a/, {
    ['a'.repeat(200)]: '',
  }),
})

const FOLDER = '{name: image-folder, test: 0.5}'
const pictures = (more: Files = {}): Files => ({
  'a/1.png': png,
  'a/2.png': png,
  'b/1.png': png,
  'b/2.png': png,
  ...more,
})
audit('images in folders', {
  'no folder': on(FOLDER, /data.*(class|image)/, {}),
  'one class': on(FOLDER, /data|class/, { 'a/1.png': png }),
  'an empty class': on(FOLDER, /\bc\b/, pictures(), () => mkdirSync('data/c')),
  'an empty image': on(FOLDER, /b\/3\.png/, pictures({ 'b/3.png': '' })),
  'half an image': on(FOLDER, /b\/3\.png/, pictures({ 'b/3.png': png.subarray(0, 60) })),
  'text for an image': on(FOLDER, /b\/3\.png/, pictures({ 'b/3.png': 'hello' })),
  'a picture that holds script': on(
    FOLDER,
    /b\/3\.png/,
    pictures({ 'b/3.png': '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>' }),
  ),
  'an image claiming 2 billion pixels a side': on(
    FOLDER,
    /b\/3\.png/,
    pictures({
      'b/3.png': Buffer.concat([
        png.subarray(0, 16),
        Buffer.from([127, 255, 255, 255, 127, 255, 255, 255]),
        png.subarray(24),
      ]),
    }),
  ),
  'a FIFO for an image': on(FOLDER, /b\/3\.png/, pictures(), () => spawnSync('mkfifo', ['data/b/3.png'])),
  'a device for an image': on(FOLDER, /b\/3\.png/, pictures(), () => {
    symlinkSync('/dev/zero', 'data/b/3.png')
  }),
  'controls in a name': on(FOLDER, /b\/\\x1b\[2J\\n\.png/, pictures({ 'b/\x1b[2J\n.png': 'hello' })),
  'an image too many levels below': on(
    FOLDER,
    /b\/c is a folder in the folder of a class; expected/,
    pictures({ 'b/c/d/1.png': 'x' }),
  ),
  'a folder in circles': on(
    FOLDER,
    /a\/up is a folder in the folder of a class; expected/,
    { 'a/.x': '' },
    () => {
      symlinkSync('..', 'data/a/up')
    },
  ),
})

audit('where data is', {
  'a directory that is not there': {
    ...on(NPZ, /nowhere/, {}),
    args: ['run', 'small.yaml', '--dry-run', '-S', `data=${NPZ}`, '-S', 'dataDirectory=nowhere'],
  },
  'a file': {
    ...on(NPZ, /small\.yaml/, {}),
    args: ['run', 'small.yaml', '--dry-run', '-S', `data=${NPZ}`, '-S', 'dataDirectory=small.yaml'],
  },
  ...Object.fromEntries(
    [
      'ftp://host/a',
      'http://host/a',
      'https://169.254.169.254/a',
      'https://[::ffff:169.254.169.254]/a',
      'https://metadata.google.internal/a',
      'https://0xa9fea9fe/a',
      'file:///etc',
      'javascript:alert(1)',
      'hf://a',
      's3://b',
      'https://u:pa55@169.254.169.254/a',
    ].map((url): [string, Attempt] => [
      url,
      {
        ...on(NPZ, /data(\.from|Directory)|data\.from/, {}),
        args: ['run', 'small.yaml', '--dry-run', '-S', `data={name: npz, test: 0.2, from: "${url}"}`],
        hides: /pa55/,
      },
    ]),
  ),
})
