import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { audit } from '../../../support/audit.ts'

/** Stores that are none, in every command that reads or writes one. */

interface Place {
  readonly store: string
  readonly says: RegExp
  readonly make?: (directory: string) => unknown
}

const file = (name: string, text: string) => (directory: string) => {
  mkdirSync(join(directory, 'place'))
  writeFileSync(join(directory, 'place', name), text)
}

/** Places that cannot be a store, whatever its use. */
const places: Readonly<Record<string, Place>> = {
  'a file': {
    store: 'small.yaml',
    says: /store \S+small\.yaml (is a file, expected a directory|cannot be written to: .* is a file)/,
  },
  'below a file': {
    store: 'small.yaml/a',
    says: /store \S+ (.* is a file|cannot be written to: .* is a file)/,
  },
  'a FIFO': {
    store: 'place',
    says: /store \S+place (is a FIFO, expected a directory|cannot be written to: .* is a file)/,
    make: (directory) => spawnSync('mkfifo', [join(directory, 'place')]),
  },
  'a device': {
    store: '/dev/zero',
    says: /store \/dev\/zero (is a device|cannot be written to: .* is a file)/,
  },
  'a link to itself': {
    store: 'place',
    says: /store \S+ (is|cannot be written to: it is) a symbolic link that leads back to itself/,
    make: (directory) => {
      symlinkSync('place', join(directory, 'place'))
    },
  },
  'a name beyond all names': { store: 'x'.repeat(300), says: /store .* name (is|that is) too long/ },
  'of another kind': {
    store: 'ftp://host/a',
    says: /store "ftp:\/\/host\/a" is of an unknown kind; expected/,
  },
  'a page': { store: 'https://u:pa55@host/a', says: /store "https:\/\/…@host\/a" is of an unknown kind/ },
  'of another machine': {
    store: 'file://host/a',
    says: /names no directory of this machine .*; expected file/,
  },
  'an encoded slash': {
    store: 'file:///a%2fb',
    says: /names no directory of this machine .*; expected file/,
  },
  'an encoded NUL': { store: 'file:///a%00b', says: /names no directory of this machine .*; expected file/ },
  'no bucket': { store: 's3://', says: /names the bucket ""; expected s3:\/\/bucket/ },
  'a bucket of one letter': { store: 's3://b/a', says: /names the bucket "b"; expected s3:\/\/bucket/ },
  'a bucket with an underscore at its end': { store: 's3://bucket_/a', says: /names the bucket "bucket_"/ },
  'a prefix that leads out': { store: 's3://bucket/../a', says: /has "\.\." in its prefix; expected names/ },
  'a prefix with a query': { store: 's3://bucket/a?b', says: /has "a\?b" in its prefix; expected names/ },
  'credentials for a bucket': {
    store: 's3://u:pa55@bucket/a',
    says: /holds credentials; expected none there/,
  },
  'a later format': {
    store: 'place',
    says: /store\.json says that the store has the format 99; expected 1\. Use the version/,
    make: file('store.json', '{"format": 99, "undigested": []}'),
  },
  'a format in another notation': {
    store: 'place',
    says: /store\.json does not say the store's format; expected /,
    make: file('store.json', '{"format": "1", "undigested": []}'),
  },
  'a format that is no JSON': {
    store: 'place',
    says: /store\.json does not say the store's format; expected /,
    make: file('store.json', '\0\x1b[2J{'),
  },
  'a format that is nothing': {
    store: 'place',
    says: /store\.json does not say the store's format; expected /,
    make: file('store.json', ''),
  },
  'a format that is a FIFO': {
    store: 'place',
    says: /store\.json: this is a FIFO, expected a regular file/,
    make: (directory) => {
      mkdirSync(join(directory, 'place'))
      spawnSync('mkfifo', [join(directory, 'place/store.json')])
    },
  },
  'a format that is a folder': {
    store: 'place',
    says: /store\.json: this is a directory, expected a file/,
    make: (directory) => mkdirSync(join(directory, 'place/store.json'), { recursive: true }),
  },
}

const id = 'sample-00000000'
const commands: Readonly<Record<string, readonly string[]>> = {
  gc: ['gc'],
  du: ['du'],
  check: ['check'],
  report: ['report', id],
  compare: ['compare', id, 'sample-00000001'],
  track: ['track', id],
  tag: ['tag', id, '+a'],
  note: ['note', id, 'text'],
  resume: ['resume', id],
  verify: ['verify', id],
  'adapter export': ['adapter', 'export', id, '--out', 'new'],
  run: ['run', 'small.yaml', '--dry-run'],
}

for (const [command, args] of Object.entries(commands))
  audit(
    command,
    Object.fromEntries(
      // What `check` finds in a store, it lists: tests/unit/cli/actions/check.test.ts.
      Object.entries(places)
        .filter(([title]) => command !== 'check' || !/^a (later format|format (in|that is no))/.test(title))
        .map(([title, { store, says, make }]) => [
          title,
          { args: [...args, '--store', store], says, ...(make && { prepare: make }), hides: /pa55/ },
        ]),
    ),
  )

/** Refused before a server is started, which would write to the working directory. */
audit(
  'run, without a server',
  Object.fromEntries(
    [
      ...Object.entries(places),
      [
        'a folder that takes none',
        {
          store: '/proc/zeroshift/a',
          says: /^the store \/proc\/zeroshift\/a cannot be written to: no folder can be made there; make it so, or name another with --store$/m,
        },
      ] as const,
    ].map(([title, { store, says, ...place }]) => [
      title,
      {
        args: ['run', 'small.yaml', '--store', store],
        says,
        ...('make' in place && { prepare: place.make }),
        hides: /pa55/,
      },
    ]),
  ),
)

for (const command of ['gc', 'check', 'du'])
  audit(`${command} of what is not there`, {
    'a store that is missing': {
      args: [command, '--store', 'nowhere'],
      says: /^the store \S+nowhere is not there; expected /m,
    },
    'the store of a directory without one': {
      args: [command],
      says: /^the store \S+ is not there; expected /m,
    },
  })
