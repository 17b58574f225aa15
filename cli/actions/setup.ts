import { UserError } from '../../common/errors.ts'
import { bootstrap } from '../../infra/set-up.mjs'
import { SetupError } from '../../infra/steps.mjs'
import { deviceNamed } from '../../learning/tensorflow/device.ts'
import { prepare } from '../../worker/prepare.ts'
import { print, printError } from '../output/print.ts'

interface SetupOptions {
  readonly device?: string
  readonly withMlflow?: true
  readonly withS3?: true
}

/**
 * `zeroshift setup`: installs TensorFlow's library, its addon and the Temporal server into the
 * cache, as the first run would, and the servers that the options name.
 */
export async function setup({ device, withMlflow, withS3 }: SetupOptions): Promise<number> {
  const named = device ?? process.env.ZEROSHIFT_DEVICE
  const gpu = deviceNamed(named, device === undefined ? undefined : '--device') === 'gpu'
  try {
    await bootstrap({ gpu, mlflow: withMlflow === true, s3: withS3 === true })
  } catch (error) {
    if (error instanceof SetupError) throw new UserError(error.message)
    throw error
  }
  await prepare(async (work) => {
    printError('preparing the first run (about 6 s)')
    await work()
  })
  print('Everything that a run needs is there.')
  return 0
}
