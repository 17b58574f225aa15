import type { Settings } from './spec.ts'

/** How a run is made durable, where its config does not say: see settingsSchema. In seconds. */

export function heartbeatSecondsOf({ heartbeatSeconds = 30 }: Pick<Settings, 'heartbeatSeconds'>): number {
  return heartbeatSeconds
}

export function checkpointSecondsOf({ checkpointSeconds = 30 }: Pick<Settings, 'checkpointSeconds'>): number {
  return checkpointSeconds
}
