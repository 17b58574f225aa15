import type { Settings } from './settings.ts'

/** Defaults for the durability settings, in seconds (see settingsSchema). */

export function heartbeatSecondsOf({ heartbeatSeconds = 30 }: Pick<Settings, 'heartbeatSeconds'>): number {
  return heartbeatSeconds
}

export function checkpointSecondsOf({ checkpointSeconds = 30 }: Pick<Settings, 'checkpointSeconds'>): number {
  return checkpointSeconds
}
