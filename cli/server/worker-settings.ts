import { graphSetting } from '../../learning/tensorflow/device.ts'
import { signingKey } from '../../signatures/setting.ts'
import { payloadKeys } from '../../worker/payload-keys.ts'
import { progressSeconds } from '../../worker/progress.ts'

/**
 * Refuses settings of a worker in the environment that it would only find wrong when it has started.
 * Throws a UserError.
 */
export function refuseWorkerSettings(): void {
  payloadKeys()
  signingKey()
  progressSeconds()
  graphSetting(process.env.ZEROSHIFT_GRAPHS)
}
