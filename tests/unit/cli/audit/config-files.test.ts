import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { attemptsFor, audit } from '../../../support/audit.ts'
import { smallConfig } from '../../../support/command.ts'

/** Configs that are no files, no text, no YAML, or more of it than there can be. */

const made: Readonly<Record<string, readonly [(path: string) => unknown, RegExp]>> = {
  'a missing file': [
    () => undefined,
    /bad\.yaml: there is no such file; expected an? (experiment|sweep)'s YAML config$/m,
  ],
  'a folder': [(path) => mkdirSync(path), /bad\.yaml: this is a directory, expected a file/],
  'a FIFO': [(path) => spawnSync('mkfifo', [path]), /bad\.yaml: this is a FIFO, expected a regular file/],
  'a device': [
    (path) => symlinkSync('/dev/zero', path),
    /bad\.yaml: this is a device, expected a regular file/,
  ],
  'a link to itself': [
    (path) => symlinkSync('bad.yaml', path),
    /bad\.yaml: this is a symbolic link that leads back/,
  ],
  'a link to nowhere': [(path) => symlinkSync('nowhere', path), /bad\.yaml: there is no such file; expected/],
  'a file of 100 MB': [
    (path) => {
      writeFileSync(path, smallConfig)
      truncateSync(path, 1e8)
    },
    /bad\.yaml: this has 100000000 bytes, expected 4194304 at most; expected/,
  ],
}

const AT = (line: number) => `^bad\\.yaml:${line}:\\d+: `
const NO_TEXT = /^bad\.yaml: this is no UTF-8 text; expected an? (experiment|sweep)'s YAML config$/m
const laughs = Array.from({ length: 12 }, (_, i) =>
  i === 0
    ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
    : `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
).join('\n')

const texts: Readonly<Record<string, readonly [string | Uint8Array, RegExp]>> = {
  'an empty file': ['', /^bad\.yaml(:1:1)?: the config is empty|expected a mapping/m],
  'white space': [' \n\n  \n', /^bad\.yaml(:\d:\d)?: (the config is empty|.*expected a mapping)/m],
  'a comment': ['# nothing\n', /^bad\.yaml(:\d:\d)?: (the config is empty|.*expected a mapping)/m],
  text: ['name', /^bad\.yaml:1:1: the config: expected a mapping/m],
  'a number': ['5', /^bad\.yaml:1:1: the config: expected a mapping/m],
  'a list': ['- name: a', /^bad\.yaml:1:1: the config: expected a mapping/m],
  'two documents': ['name: a\n---\nname: b\n', new RegExp(`${AT(2)}a second YAML document begins here`, 'm')],
  'a duplicate key': ['name: a\nname: b\n', new RegExp(`${AT(2)}duplicate key "name"`, 'm')],
  'a duplicate key with controls': ['"\\e[2J": 1\n"\\e[2J": 2\n', new RegExp(`${AT(2)}duplicate key`, 'm')],
  'a tab': ['data:\n\tname: digits\n', new RegExp(`${AT(2)}not valid YAML: Tabs`, 'm')],
  'an open list': ['name: [a\ndata: b\n', new RegExp(`${AT(2)}not valid YAML`, 'm')],
  'an open quotation': ['name: "a\n', new RegExp(`${AT(1)}not valid YAML|${AT(2)}not valid YAML`, 'm')],
  'an unknown tag': ['name: !python/object:os.system a\n', new RegExp(`${AT(1)}not valid YAML`, 'm')],
  'a binary tag': ['name: !!binary AAAA\n', new RegExp(AT(1), 'm')],
  'a date': ['name: 2026-01-01T00:00:00Z\n', new RegExp(`${AT(1)}`, 'm')],
  'an alias of nothing': ['name: *nobody\n', new RegExp(`${AT(1)}not valid YAML: Unresolved alias`, 'm')],
  'an alias within itself': ['name: &a [*a]\n', new RegExp(AT(1), 'm')],
  'a merge of a list': ['name: a\n<<: [1, 2]\n', new RegExp(`^bad\\.yaml:\\d+:\\d+: `, 'm')],
  'a merge of itself': ['a: &a\n  <<: *a\n', new RegExp(`^bad\\.yaml:\\d+:\\d+: `, 'm')],
  'a list as a key': ['? [a]\n: 1\n', new RegExp(`${AT(1)}not valid YAML`, 'm')],
  'aliases that multiply': [
    laughs,
    /^bad\.yaml:\d+:\d+: not valid YAML: aliases of aliases multiply beyond all bounds/m,
  ],
  'merges that multiply': [laughs.replaceAll('[', '{<<: [').replaceAll(']', ']}'), /^bad\.yaml:\d+:\d+: /m],
  'lists within lists': [
    '['.repeat(100_000),
    /^bad\.yaml:1:1: the config is nested more than 200 levels deep/m,
  ],
  'mappings within mappings': [
    '{a: '.repeat(50_000),
    /^bad\.yaml:1:1: the config is nested more than 200 levels deep/m,
  ],
  'keys below keys': [
    Array.from({ length: 1400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    /^bad\.yaml:\d+:1: the config is nested more than 200 levels deep/m,
  ],
  'lists on a line': ['- '.repeat(50_000), /^bad\.yaml:1:1: the config is nested more than 200 levels deep/m],
  'more characters than there can be': [
    '#'.repeat(2 ** 20 + 1),
    /^bad\.yaml: the config has 1048577 characters/m,
  ],
  'ten thousand keys': [
    Array.from({ length: 10_000 }, (_, i) => `k${i}: 1`).join('\n'),
    /^bad\.yaml:1:1: 99[0-9]{2} more problems are not listed/m,
  ],
  'thirty thousand entries': [
    `name: [${'1,'.repeat(30_000)}]\n`,
    /^bad\.yaml:1:\d+: name: expected text, found a list/m,
  ],
  'a key of a thousand letters': [
    `${'k'.repeat(1000)}: 1\n`,
    /^bad\.yaml:1:1: unknown key "k+…\(\d+ characters\)…k+"/m,
  ],
  'a number of ten thousand digits': [
    `name: ${'9'.repeat(10_000)}\n`,
    /^bad\.yaml:1:\d+: name: expected text, found /m,
  ],
  'UTF-16': [Buffer.from(`\ufeff${smallConfig}`, 'utf16le'), NO_TEXT],
  'Latin-1': [Buffer.from('name: caf\xe9\n', 'latin1'), NO_TEXT],
  'an image': [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]), NO_TEXT],
  zeros: [new Uint8Array(5000), /^bad\.yaml/m],
  'random bytes': [
    Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919 + (i >> 3) * 104729) & 255)),
    NO_TEXT,
  ],
  'controls in a value': ['name: "\\e]0;title\\a"\n', /^bad\.yaml:1:7: name: expected lower-case letters/m],
  'controls in a key': ['"\\e[2J\\u202e": 1\n', /^bad\.yaml:1:1: unknown key/m],
  'a line of its own in a key': [
    '"a\\n/etc/passwd:1:1: fake": 1\n',
    /^bad\.yaml:1:1: unknown key "a\\n\/etc/m,
  ],
  'a prototype': ['__proto__: { name: a }\n', /^bad\.yaml:1:1: unknown key "__proto__"/m],
  'a constructor': [
    'constructor: { prototype: { name: a } }\n',
    /^bad\.yaml:1:1: unknown key "constructor"/m,
  ],
  'a prototype, merged': ['<<: { __proto__: { name: a } }\n', /^bad\.yaml:1:\d+: unknown key "__proto__"/m],
  JSON: ['{"name": "A B"}', /^bad\.yaml:1:10: name: expected lower-case letters/m],
  'Windows lines': ['name: a b\r\nseed: 1\r\n', /^bad\.yaml:1:7: name: expected lower-case/m],
  "a Mac's lines of old": ['name: a b\rseed: 1\r', /^bad\.yaml:/m],
}

const commands: Readonly<Record<string, readonly string[]>> = {
  run: ['run', 'bad.yaml', '--dry-run'],
  sweep: ['sweep', 'bad.yaml', '--dry-run'],
  doctor: ['doctor', 'bad.yaml'],
}

for (const [command, args] of Object.entries(commands)) {
  audit(
    `${command} of`,
    attemptsFor(made, ([make, says]) => ({ args, says, prepare: () => make('bad.yaml') })),
  )
  audit(
    `${command} of`,
    attemptsFor(texts, ([text, says]) => ({ args, says, files: { 'bad.yaml': text } })),
  )
}
