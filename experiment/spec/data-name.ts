import type { DataSpec } from './data.ts'

/** The name of a data set for people. Stages reach this file, and not the schemas of configs. */
export function dataName(data: DataSpec): string {
  return data.name === 'plugin' ? data.plugin.name : data.name
}
