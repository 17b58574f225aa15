import { audit, type Attempts } from '../../../support/audit.ts'
import { commandList as commands } from '../../../support/command-list.ts'

/** Options that no command has, that lack what they need, or that hold what cannot be meant. */

const attempts = (of: (command: (typeof commands)[number]) => Attempts): Attempts =>
  Object.assign({}, ...commands.map(of)) as Attempts

audit(
  'an option that there is not',
  attempts(({ words, right }) => ({
    [words.join(' ')]: { args: [...right, '--zzz'], says: /^error: unknown option '--zzz'$/m },
  })),
)

audit(
  'one word too many',
  attempts(({ words, right, optional, isVariadic }) =>
    isVariadic
      ? {}
      : {
          [words.join(' ')]: {
            args: [...right, ...optional, 'more'],
            says: /^error: too many arguments for/m,
          },
        },
  ),
)

audit(
  'a missing word',
  attempts(({ words, needed }) =>
    needed.length === 0
      ? {}
      : { [words.join(' ')]: { args: words, says: /^error: (missing required argument|required option)/m } },
  ),
)

audit(
  'an option without its value',
  attempts(({ words, right, valued }) =>
    Object.fromEntries(
      valued.map((option) => [
        `${words.join(' ')} ${option}`,
        { args: [...right, option], says: /^error: option '.*' argument missing$/m },
      ]),
    ),
  ),
)

for (const empty of ['', ' ', '\t\n'])
  audit(
    `an option with the value ${JSON.stringify(empty)}`,
    attempts(({ words, right, valued }) =>
      Object.fromEntries(
        valued.map((option) => [
          `${words.join(' ')} ${option}`,
          {
            args: [...right, option, empty],
            says: new RegExp(`^${option}: empty text; expected a value, or none of it at all$`, 'm'),
          },
        ]),
      ),
    ),
  )

const NO_NUMBERS = [
  ...[
    '0',
    '-1',
    '1.5',
    '1e1',
    '0x10',
    '0b1',
    '5.0',
    '+5',
    ' 5',
    '5 ',
    '1_000',
    '1,000',
    'NaN',
    'Infinity',
    '1e999',
  ],
  ...['99999999999999999999', '٣', '５', 'five', '5s', '--', "5' OR 1=1"],
]
const counts: Readonly<Record<string, readonly string[]>> = {
  '--max-parallel': ['sweep', 'small.yaml'],
  '--rank': ['runs'],
  '--limit': ['runs'],
  '--exit-when-idle': ['worker', '--queue', 'zeroshift-train'],
  '--metrics-port': ['worker'],
  '--port': ['up'],
  '--s3-port': ['up'],
  '--mlflow-port': ['up'],
}
for (const [option, command] of Object.entries(counts))
  audit(
    `${option} of what is no whole number from 1 on`,
    Object.fromEntries(
      NO_NUMBERS.map((text) => [
        text,
        {
          args: [...command, `${option}=${text}`],
          says: new RegExp(`^${option}: expected a whole number from 1`, 'm'),
        },
      ]),
    ),
  )

for (const verb of ['gc', 'check'])
  audit(
    `${verb} --grace of what is no time`,
    Object.fromEntries(
      [
        ...[
          '0h',
          '9m',
          '-5h',
          '5',
          '5s',
          'h',
          '1e3h',
          '0x1h',
          '30 m',
          ' 30m',
          '1.h',
          '.5h',
          '1.5.5h',
          '5hh',
          '５h',
        ],
        ...['Infinityh', 'NaNh', '1w', '24H', '9'.repeat(400) + 'd'],
      ].map((text) => [
        text.slice(0, 20),
        { args: [verb, `--grace=${text}`], says: /^--grace: expected a time such as 30m, 24h or 7d/m },
      ]),
    ),
  )

audit('an option of what there is not', {
  'runs --status': { args: ['runs', '--status', 'Running'], says: /^--status: expected one of running, / },
  'worker --queue': {
    args: ['worker', '--queue', 'zero'],
    says: /^--queue: there is no queue 'zero'/,
  },
  'worker --gpu': { args: ['worker', '--gpu', '0'], says: /^--gpu 0: this worker computes on the CPU/ },
  'worker --gpus': { args: ['worker', '--gpus', '0,1'], says: /^--gpus/ },
  'worker --device': { args: ['worker', '--device', 'tpu'], says: /^--device: / },
  'worker --exit-when-idle': {
    args: ['worker', '--exit-when-idle', '5'],
    says: /^--exit-when-idle: this worker serves .*; expected --queue zeroshift-train and no other$/m,
  },
  'worker --metrics-host': {
    args: ['worker', '--metrics-host', '::'],
    says: /^--metrics-host: found without/,
  },
  'worker --allow-source': { args: ['worker', '--allow-source', '/data'], says: /--allow-store/ },
  'worker --allow-tracking': { args: ['worker', '--allow-tracking', 'http://a'], says: /--allow-store/ },
  'up, two ports alike': {
    args: ['up', '--port', '7000', '--s3-port', '7000'],
    says: /^--s3-port: found 7000, which is/,
  },
  'doctor --device': { args: ['doctor', '--device', 'GPU'], says: /^--device: / },
  'a command': { args: ['walk'], says: /^error: unknown command 'walk'$/m },
  'a command of adapter': { args: ['adapter', 'walk'], says: /^error: unknown command 'walk'$/m },
  'a command, nearly': { args: ['stauts'], says: /\(Did you mean status\?\)/ },
  'an option, nearly': { args: ['gc', '--delet'], says: /\(Did you mean --delete\?\)/ },
})
