import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { audit, type Attempt } from '../../../support/audit.ts'

/** Variables of the environment that hold what cannot be meant. */

const values = (
  name: string,
  args: readonly string[],
  says: RegExp,
  texts: readonly string[],
  more: Partial<Attempt> = {},
): void => {
  audit(
    name,
    Object.fromEntries(
      texts.map((text) => [
        JSON.stringify(text.slice(0, 40)),
        { ...more, args, says, env: { ...more.env, [name]: text } },
      ]),
    ),
  )
}

const worker = ['worker', '--temporal', '127.0.0.1:1', '--device', 'cpu']
const gone = 'nothing-00000000'

values(
  'ZEROSHIFT_STORE',
  ['report', gone],
  /^the store /m,
  ['', ' ', 'ftp://host', 's3://b', 'file://host/a', '/dev/null', 's3://u:pa55@bucket'],
  {
    hides: /pa55/,
  },
)
values('ZEROSHIFT_DEVICE', ['doctor', 'nowhere.yaml'], /^ZEROSHIFT_DEVICE/m, [
  'tpu',
  'GPU',
  ' cpu',
  'cpu\x1b[2J',
  '0',
  'constructor',
])
values('ZEROSHIFT_DEVICE', ['worker'], /^ZEROSHIFT_DEVICE/m, ['tpu', 'gpu,cpu', '\u202ecpu'])
values(
  'TEMPORAL_ADDRESS',
  ['status'],
  /is no address of a Temporal server; expected HOST:PORT/,
  [
    ...[
      '',
      ' ',
      'http://host:7233',
      'host:',
      'host:0',
      'host:65536',
      'host:7233:7233',
      'host:x',
      'a b:1',
      '[::1',
      'host:-1',
      'host\x1b[2J:1',
    ],
    ...['https://u:pa55@host:1', 'host:1/path', 'dns:///host:1', 'unix:/tmp/a'],
  ],
  { hides: /pa55/ },
)
for (const command of [
  ['pause', gone],
  ['cancel', gone],
  ['status', gone],
  ['runs'],
  ['setup', 'search-attributes'],
  ['worker'],
  ['run', 'small.yaml', '--detach'],
])
  values(`TEMPORAL_ADDRESS`, command, /is no address of a Temporal server; expected HOST:PORT/, [
    'http://host:7233',
    'host:0',
  ])
values('ZEROSHIFT_TEMPORAL_TLS', ['status', '--temporal', 'host:1'], /^ZEROSHIFT_TEMPORAL_TLS is "/m, [
  'yes',
  'TRUE',
  '2',
  ' 1',
  'on',
])
for (const name of ['CA', 'CERT', 'KEY'])
  values(
    `ZEROSHIFT_TEMPORAL_TLS_${name}_FILE`,
    ['status', '--temporal', 'host:1'],
    new RegExp(`ZEROSHIFT_TEMPORAL_TLS_${name}_FILE (names .+, which (is|holds|has)|is set without)`),
    ['nowhere', '.', '/dev/zero', 'small.yaml', 'small.yaml/a', 'fifo', 'x'.repeat(300)],
    { prepare: () => spawnSync('mkfifo', ['fifo']) },
  )
values(
  'ZEROSHIFT_TEMPORAL_API_KEY',
  ['status', '--temporal', 'host:1'],
  /^ZEROSHIFT_TEMPORAL_API_KEY (holds white space|would go to)/m,
  ['a s3cret', 's3cret\n', 's3cret\x1b', 's3cret', 's3cr\u00e9t'],
  {
    hides: /s3cr/,
  },
)
values(
  'ZEROSHIFT_TEMPORAL_API_KEY_FILE',
  ['status', '--temporal', 'host:1'],
  /ZEROSHIFT_TEMPORAL_API_KEY/,
  ['nowhere', '.', '/dev/zero', 'fifo'],
  {
    prepare: () => spawnSync('mkfifo', ['fifo']),
  },
)
values(
  'ZEROSHIFT_PAYLOAD_KEYS',
  worker,
  /ZEROSHIFT_PAYLOAD_KEYS/,
  ['k3y', 'a:', ':k3yk3yk3y', 'a:k3y', 'a:!!!!', 'a:k3yk3y,a:k3yk3y', '\x1b:k3y', 'a: b', ','],
  {
    hides: /k3y/,
  },
)
values('ZEROSHIFT_PAYLOAD_KEYS_FILE', worker, /ZEROSHIFT_PAYLOAD_KEYS/, [
  'nowhere',
  '.',
  '/dev/zero',
  'small.yaml',
])
for (const command of [worker, ['run', 'small.yaml'], ['up']]) {
  values('ZEROSHIFT_PROGRESS_SECONDS', command, /^ZEROSHIFT_PROGRESS_SECONDS is "/m, [
    ...['', ' ', '0', '-1', 'NaN', 'Infinity', 'one', '3601', '1 s', '\x1b[2J'],
  ])
  values('ZEROSHIFT_LOG', command, /^ZEROSHIFT_LOG is '.*expected one of trace, debug, info, warn, error/m, [
    ...[' ', 'loud', 'warning', '3', 'info,debug', 'constructor', '\x1b[2J'],
  ])
  values('ZEROSHIFT_LOG_FORMAT', command, /^ZEROSHIFT_LOG_FORMAT is '.*expected one of text, json/m, [
    ...[' ', 'JSON', 'xml', '1', 'constructor', '\x1b[2J'],
  ])
  values('ZEROSHIFT_GRAPHS', command, /^ZEROSHIFT_GRAPHS is '/m, [
    ...[' ', 'Auto', 'on', '1', 'auto,never', 'constructor', '\x1b[2J'],
  ])
}
const bucket = ['report', gone, '--store', 's3://bucket/a']
values('ZEROSHIFT_BLOB_CACHE_GB', bucket, /^ZEROSHIFT_BLOB_CACHE_GB is "/m, [
  '',
  ' ',
  '-1',
  'NaN',
  'Infinity',
  'ten',
  '1e999',
  '10 GB',
  '\x1b[2J',
])
values('ZEROSHIFT_S3_SSE', bucket, /ZEROSHIFT_S3_SSE/, ['yes', 'aes256', 'AES-256', 'aws:kms:x', '\x1b[2J'])
values('ZEROSHIFT_S3_PATH_STYLE', bucket, /ZEROSHIFT_S3_PATH_STYLE/, ['yes', '2', ' 1', 'TRUE!'])
values(
  'ZEROSHIFT_S3_SSE_KMS_KEY_ID',
  bucket,
  /ZEROSHIFT_S3_SSE_KMS_KEY_ID names a key, which is for aws:kms alone/,
  ['a', 'arn:aws:kms:x'],
)
for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'])
  values(
    name,
    bucket,
    new RegExp(name),
    ['host', 'ftp://host', 'http://', 'http://u:pa55@host', 'javascript:alert(1)', ' '],
    { hides: /pa55/ },
  )
values(
  'HF_ENDPOINT',
  ['run', 'small.yaml', '--dry-run', '-S', 'data={name: npz, test: 0.2, from: "hf://datasets/a/b@main"}'],
  /HF_ENDPOINT|is not encrypted|is a link-local or metadata address/,
  [
    'host',
    'ftp://host',
    'http://',
    'http://host',
    'https://169.254.169.254',
    'https://u:pa55@169.254.169.254',
  ],
  {
    hides: /pa55/,
  },
)
values(
  'ZEROSHIFT_CACHE',
  ['run', 'small.yaml'],
  /^the cache .* cannot be used: .*; name another directory as ZEROSHIFT_CACHE$/m,
  ['small.yaml', 'small.yaml/a', '/dev/null', '/proc/zeroshift', 'x'.repeat(300)],
)

const store = fileURLToPath(new URL('../../../fixtures/stores/format-1', import.meta.url))
const tracked = (uri: string, says: RegExp, env: Readonly<Record<string, string>>): Attempt => ({
  args: ['track', 'small-07ac6d6a', '--store', 'store', '--tracking', uri],
  says,
  env,
  prepare: () => {
    cpSync(store, 'store', { recursive: true })
  },
})

audit("MLflow's credentials", {
  'a token for a connection that others can read': tracked(
    'http://mlflow.example:5000',
    /credentials would go to http:\/\/mlflow\.example:5000 .* expected https:\/\//,
    { MLFLOW_TRACKING_TOKEN: 'pa55' },
  ),
  'a file that is missing': tracked('https://127.0.0.1:1', /MLFLOW_TRACKING_TOKEN_FILE/, {
    MLFLOW_TRACKING_TOKEN_FILE: 'nothing',
  }),
  'an address that is none': tracked('mlflow', /is not a URL; expected http:\/\/ or https:\/\//, {}),
})
