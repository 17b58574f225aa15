import { allowsPrograms } from '../../activities/runtime/allowed-programs.ts'
import { graphSetting } from '../../learning/tensorflow/device.ts'
import { signingKey } from '../../signatures/setting.ts'
import { refuseLogSettings } from '../../worker/log-settings.ts'
import { payloadKeys } from '../../worker/payload-keys.ts'
import { progressSeconds } from '../../worker/progress.ts'

/**
 * Refuses invalid settings of a worker in the environment before the worker starts. Throws a
 * UserError.
 */
export function refuseWorkerSettings(): void {
  refuseLogSettings(process.env)
  payloadKeys()
  signingKey()
  progressSeconds()
  graphSetting(process.env.ZEROSHIFT_GRAPHS)
  allowsPrograms(false)
}
