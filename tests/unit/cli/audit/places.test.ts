import { spawnSync } from 'node:child_process'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { runId } from '../../../../experiment/records/run.ts'
import { attemptsFor, audit, type Attempt, type Attempts } from '../../../support/audit.ts'
import { sampleRun } from '../../../support/run.ts'

/**
 * Places that take no reports, secrets that may not be shown, and text that must not control a
 * terminal.
 */

const { run } = sampleRun()
const other = { ...run, id: runId('other', run.plan), spec: { ...run.spec, name: 'other' } }
async function withRuns(): Promise<void> {
  spawnSync('mkfifo', ['fifo'])
  const artifacts = openArtifacts('store')
  await artifacts.putRun(run)
  await artifacts.putRun(other)
}

const outputs = [
  'small.yaml',
  'small.yaml/below',
  'fifo',
  'fifo/below',
  '/dev/null',
  '/dev/zero',
  '/dev/null/a',
  '/proc/zeroshift',
  '/proc/1/a',
  'x'.repeat(300),
  '/sys/a',
]
const from = ['--store', 'store']
for (const args of [
  ['report', run.id, ...from],
  ['compare', run.id, other.id, ...from],
])
  audit(
    `${args[0] ?? ''} --out`,
    Object.fromEntries(
      outputs.map((out) => [
        out.slice(0, 40),
        {
          args: [...args, '--out', out],
          says: /^nothing can be written to .*; name another folder with --out$/m,
          prepare: withRuns,
        },
      ]),
    ),
  )

const url = 'https://user:pa55@host/a?X-Amz-Signature=51g&key=k3y&access_token=t0ken#password=w0rd'
const echoes: Readonly<Record<string, readonly string[]>> = {
  'a config': ['run', url],
  "a sweep's config": ['sweep', url],
  'a config of doctor': ['doctor', url],
  'a store': ['gc', '--store', url],
  'a store of a run': ['run', 'small.yaml', '--store', url],
  'the store of a config': ['run', 'small.yaml', '-S', `store=${url}`],
  'a bucket': ['report', run.id, '--store', url.replace('https', 's3')],
  'the data of a config': ['run', 'small.yaml', '--dry-run', '-S', `data={name: npz, from: "${url}"}`],
  'the model of a config': [
    'run',
    'small.yaml',
    '--dry-run',
    '-S',
    `model={name: pretrained, from: "${url}"}`,
  ],
  'a tracking server': ['run', 'small.yaml', '--dry-run', '-S', `tracking={uri: "${url}"}`],
  'a name': ['run', 'small.yaml', '--dry-run', '-S', `name=${url}`],
  'a key': ['run', 'small.yaml', '--dry-run', '-S', `{"${url}": 1}`],
  'a Temporal server': ['status', '--temporal', url],
  'a report': ['verify', url],
  'a run': ['report', url, ...from],
  'a method of runs': ['runs', '--status', url],
  'a grace': ['gc', '--grace', url],
  'a queue': ['worker', '--queue', url],
  'an option': ['gc', `--${url}`],
  'a command': [url],
  'a place of a worker': ['worker', '--allow-store', url],
}
audit(
  'credentials in',
  attemptsFor(echoes, (args) => ({ args, says: /./, hides: /pa55|51g|k3y|t0ken|w0rd/ })),
)

const noFolder: Readonly<Record<string, readonly string[]>> = {
  'adapter inspect': ['adapter', 'inspect', url],
  'adapter merge': ['adapter', 'merge', url, '--base', 'base', '--out', 'new'],
  'adapter apply': ['adapter', 'apply', url, 'image.png', '--base', 'base'],
  'report --out': ['report', run.id, ...from, '--out', url],
  'compare --out': ['compare', run.id, other.id, ...from, '--out', url],
}
audit(
  'a URL where a folder is expected',
  attemptsFor(noFolder, (args) => ({
    args,
    says: /^(the adapter|--out): https:\/\/…@host\/a\S* is a URL; expected a folder of this machine$/m,
    prepare: withRuns,
    hides: /pa55|51g|k3y|t0ken|w0rd/,
  })),
)

const HOSTILE = 'a\x1b]0;b\x07c\x9b2Jd\u202ee\u2066f\rg\nh\x7f'
// A folder may be called so, and a worker may have any prefix.
const right = /^(a store|a store of a run|the store of a config|a place of a worker)$/
audit(
  'controls in',
  Object.fromEntries(
    Object.entries(echoes)
      .filter(([title]) => !right.test(title))
      .map(([title, args]): [string, Attempt] => [
        title,
        { args: args.map((word) => word.replaceAll(/(https|s3):[^"]*/g, HOSTILE)), says: /./ },
      ]),
  ),
)

const S = (text: string, says: RegExp): Attempt => ({
  args: ['run', 'small.yaml', '--dry-run', '-S', text],
  says,
})
const overrides: Attempts = {
  'no value': S('rank', /^-S rank: expected path=value, such as /m),
  'no path': S('=3', /^-S =3: expected path=value, such as /m),
  'a path with two dots': S('a..b=3', /"a\.\.b" is not a path; write keys with dots/),
  'an index that is none': S('methods[x].rank=3', /methods has no row "x"; its rows: /),
  'an index below 0': S('methods[-1].rank=3', /methods has no row "-1"; its rows: /),
  'an index beyond the list': S(
    'methods[99].rank=3',
    /methods has 2 entries, counted from \[0\]; there is no \[99\]/,
  ),
  'an index beyond all numbers': S(`methods[${'9'.repeat(400)}].rank=3`, /methods has 2 entries/),
  'a key of a list': S('methods.rank=3', /methods is a list; name one of its entries/),
  'a key of text': S('name.x=3', /name is not a mapping, so it has no key "x"/),
  'a prototype': S('__proto__.polluted=1', /unknown key "__proto__"/),
  'a constructor': S('constructor.prototype.x=1', /unknown key "constructor"/),
  'a prototype below': S('training.__proto__={epochs: 5}', /unknown key "__proto__"/),
  'no YAML': S('training=[1', /the value is not valid YAML/),
  'an alias of nothing': S('training=*a', /the value is not valid YAML/),
  'a bomb': S(
    `training={a: &a [1,1,1,1,1,1,1,1,1,1], b: &b [${'*a,'.repeat(20)}], c: &c [${'*b,'.repeat(20)}], d: [${'*c,'.repeat(20)}]}`,
    /^-S training=/m,
  ),
  'lists within lists': S(`training=${'['.repeat(5000)}`, /nested more than 200 levels deep/),
  'a path of ten thousand parts': S(
    `${'a.'.repeat(10_000)}b=1`,
    /the path has 10001 parts, and 200 is the most/,
  ),
  'one of two that is wrong': {
    ...S('seed=x', /^-S seed=x: seed: expected a mapping/m),
    args: ['run', 'small.yaml', '--dry-run', '-S', 'gold.models=1', '-S', 'seed=x'],
  },
}
audit('-S with', overrides)

const sweep = (more: string, says: RegExp): Attempt => ({
  args: ['sweep', 'sweep.yaml', '--dry-run'],
  says,
  files: { 'sweep.yaml': `name: s\nbase: small.yaml\n${more}` },
})
const many = (n: number) => `[${Array.from({ length: n }, (_, i) => i + 1).join(', ')}]`
const AT = (line: number) => `^sweep\\.yaml:${line}:\\d+: `
audit('a sweep with', {
  'a base that is not there': {
    ...sweep('', /nowhere\.yaml: there is no such file; expected/),
    files: { 'sweep.yaml': 'name: s\nbase: nowhere.yaml\n' },
  },
  'itself as its base': {
    ...sweep('', /sweep\.yaml:\d+:\d+: /),
    files: { 'sweep.yaml': 'name: s\nbase: sweep.yaml\n' },
  },
  'a folder as its base': {
    ...sweep('', /this is a directory, expected a file/),
    files: { 'sweep.yaml': 'name: s\nbase: .\n' },
  },
  'a device as its base': {
    ...sweep('', /this is a device, expected a regular file/),
    files: { 'sweep.yaml': 'name: s\nbase: /dev/zero\n' },
  },
  'an axis without values': sweep(
    'grid: { training.epochs: [] }\n',
    new RegExp(`${AT(3)}.*expected a list of at least 1 entry`, 'm'),
  ),
  'an axis that is no list': sweep(
    'grid: { training.epochs: 3 }\n',
    new RegExp(`${AT(3)}.*expected a list`, 'm'),
  ),
  'an axis of what there is not': sweep(
    'grid: { training.epoch: [1, 2] }\n',
    /unknown key "epoch"; did you mean "epochs"/,
  ),
  'an axis that is no path': sweep(
    'grid: { "a b": [1] }\n',
    new RegExp(`${AT(3)}.*expected a path in an experiment`, 'm'),
  ),
  'an axis of a prototype': sweep(
    'grid: { __proto__: [1] }\n',
    new RegExp(`${AT(3)}unknown key "__proto__"`, 'm'),
  ),
  'values that are wrong': sweep(
    'grid: { training.epochs: [1, -5] }\n',
    /training\.epochs: expected a number above 0, found -5/,
  ),
  'an axis twice': sweep(
    'grid: { gold.models: [1] }\nzip: [{ gold.models: [2] }]\n',
    /gold\.models is varied by grid already; remove one/,
  ),
  'an axis within another': sweep(
    'grid: { training: [{ epochs: 1 }] }\nzip: [{ training.epochs: [2] }]\n',
    /training\.epochs is a part of training, which/,
  ),
  'an axis that is set': sweep(
    'set: { training.epochs: 2 }\ngrid: { training: [{ epochs: 1 }] }\n',
    /training\.epochs is a part of training, which/,
  ),
  'groups of two lengths': sweep(
    'zip: [{ gold.models: [1, 2], training.epochs: [1] }]\n',
    /advance together and need one length/,
  ),
  'conditions on what nothing sets': sweep(
    'only: { gold.models: { seeds: 1 } }\n',
    /nothing of the sweep sets gold\.models/,
  ),
  'exclusions of what nothing sets': sweep(
    'exclude: [{ gold.models: 1 }]\n',
    /nothing of the sweep sets gold\.models/,
  ),
  'all points excluded': sweep(
    'grid: { gold.models: [1] }\nexclude: [{ gold.models: 1 }]\n',
    /the sweep has no points: all are excluded/,
  ),
  'a million points': sweep(
    `grid: { gold.models: ${many(16)}, seeds: ${many(20)}, training.epochs: ${many(100)}, training.batchSize: ${many(40)} }\n`,
    /has 1280000 points, and 5000 is the most/,
  ),
  'points beyond all numbers': sweep(
    `grid:\n${Array.from({ length: 200 }, (_, i) => `  methods[1].x${i}: ${many(100)}\n`).join('')}`,
    /points, and 5000 is the most/,
  ),
  'a range that goes down': sweep(
    'random: { samples: 2, of: { training.epochs: { from: 5, to: 1 } } }\n',
    /goes from 5 to 1; expected from < to/,
  ),
  'a logarithm of 0': sweep(
    'random: { samples: 2, of: { "methods[1].lambda": { from: 0, to: 1, scale: log } } }\n',
    /a logarithmic range begins above 0/,
  ),
  'rungs that go down': sweep(
    'halving: { resource: training.epochs, rungs: [3, 2] }\n',
    /the rungs ascend, and these are 3, 2/,
  ),
  'rungs that stand still': sweep(
    'halving: { resource: training.epochs, rungs: [2, 2] }\n',
    /the rungs ascend, and these are 2, 2/,
  ),
  '--max-parallel of a word': {
    ...sweep('', /^--max-parallel: expected a whole number from 1 to 500/m),
    args: ['sweep', 'sweep.yaml', '--max-parallel', 'all'],
  },
})
