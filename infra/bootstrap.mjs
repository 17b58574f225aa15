/** The program that sets up a checkout: `node infra/bootstrap.mjs`. */
import { load } from './compiled.mjs'
import { builtPage, isPageBuilt } from './page.mjs'
import { bootstrap, giveUp } from './set-up.mjs'
import { step } from './steps.mjs'

const USAGE = `Usage: node infra/bootstrap.mjs [options]

Sets up what a fresh clone needs, and does nothing when all is there. An installed package has \`zeroshift setup\` instead.

  --with-mlflow   also MLflow, which the tests of tracking use
  --with-s3       also an S3 server, which the tests of stores use
  --with-peft     also PEFT in Python, if it can be had: some tests of adapters use it, and are skipped without it
  --with-cluster-tools
                  also Helm and its kin, if they can be had: tests of the manifests in infra/ use them, and are skipped without them
  --with-tls      also a Temporal server that speaks TLS, if it can be had (with Go): some tests use it, and are skipped without it
  --with-model-signing
                  also Python's model_signing, if it can be had: a test of signed models uses it, and is skipped without it
  --for-tests     what \`npm test\` needs: --with-mlflow and --with-s3, and all six if the variable CI is set
  --for-all-tests all six of them
  --no-temporal   without the Temporal server
  --gpu           TensorFlow with CUDA, 4 GB (also: ZEROSHIFT_DEVICE=gpu)
`

const flags = process.argv.slice(2)
const known = [
  '--with-mlflow',
  '--with-s3',
  '--with-peft',
  '--with-cluster-tools',
  '--with-tls',
  '--with-model-signing',
  '--for-tests',
  '--for-all-tests',
  '--no-temporal',
  '--gpu',
]
const unknown = flags.find((flag) => !known.includes(flag))
if (unknown) {
  process.stderr.write(`${unknown === '--help' ? '' : `Unknown option ${unknown}.\n\n`}${USAGE}`)
  process.exit(unknown === '--help' ? 0 : 2)
}
const all = flags.includes('--for-all-tests') || (flags.includes('--for-tests') && Boolean(process.env.CI))
const tests = all || flags.includes('--for-tests')
await bootstrap({
  temporal: !flags.includes('--no-temporal'),
  mlflow: tests || flags.includes('--with-mlflow'),
  s3: tests || flags.includes('--with-s3'),
  peft: all || flags.includes('--with-peft'),
  clusterTools: all || flags.includes('--with-cluster-tools'),
  tls: all || flags.includes('--with-tls'),
  modelSigning: all || flags.includes('--with-model-signing'),
  ...(flags.includes('--gpu') ? { gpu: true } : {}),
}).catch(giveUp)
const { prepare } = await load('worker/prepare.ts')
await prepare((work) => step('preparing the first run (about 6 s)', work))
if (!isPageBuilt()) await step('building the page of zeroshift ui (about 8 s)', () => builtPage())
