import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { attemptsFor, audit } from '../../../support/audit.ts'
import { sampleRun } from '../../../support/run.ts'

/** Ids of runs and sweeps that are none. */

const { run } = sampleRun()
const ids: Readonly<Record<string, string>> = {
  'a run that there is not': 'sample-00000000',
  'a run, in capitals': run.id.toUpperCase(),
  'a run and a space': `${run.id} `,
  'the folder above': '..',
  'the store itself': './/',
  'a path out of the store': '../../../../etc/passwd',
  'a path, encoded': '..%2f..%2fetc%2fpasswd',
  'an absolute path': '/etc/passwd/x',
  'a path with backslashes': '..\\..\\etc',
  'a path within the store': `../runs/${run.id}`,
  'a file of a run': `${run.id}/run.json`,
  'a control character': 'a\x1b[2Jb',
  'a line of its own': 'a\n/etc/passwd:1:1: fake',
  'a carriage return': 'a\rb',
  'text that runs backwards': 'a\u202eb',
  'invisible characters': 'sample\u200b-00000000',
  'a byte order mark': '\ufeffsample-00000000',
  'other digits': 'sample-００００００００',
  'Cyrillic letters': 'sаmple-00000000',
  Greek: 'δοκιμή-00000000',
  'a cat': '🐈',
  'half a character': '\ud83d',
  'a long one': 'x'.repeat(10_000),
  'a URL': 'https://user:pa55@host/runs/a',
  'a name of objects': '__proto__',
  'a method of objects': 'constructor',
  'a command of a shell': '$(touch pwned)`touch pwned`',
  'a query': "a' OR 'a' = 'a",
  'a pattern': 'sample-*',
}

const commands: Readonly<Record<string, (id: string) => readonly string[]>> = {
  resume: (id) => ['resume', id],
  status: (id) => ['status', id],
  pause: (id) => ['pause', id],
  cancel: (id) => ['cancel', id],
  report: (id) => ['report', id],
  verify: (id) => ['verify', id],
  track: (id) => ['track', id],
  tag: (id) => ['tag', id, '+a'],
  note: (id) => ['note', id, 'text'],
  'compare first': (id) => ['compare', id, run.id],
  'compare second': (id) => ['compare', run.id, id],
  'adapter export': (id) => ['adapter', 'export', id, '--out', 'new'],
}

const said =
  /(has no run '|no run or sweep '|is no name of something in a store; expected |no file and no folder "|nothing runs in this directory; name the Temporal server of |expected (the|a) report\.json)/

for (const [command, args] of Object.entries(commands))
  audit(
    command,
    attemptsFor(ids, (id) => ({
      args: args(id),
      says: said,
      prepare: () => openArtifacts('.zeroshift/store').putRun(run),
      hides: /pa55/,
    })),
  )
