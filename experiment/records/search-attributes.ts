import { dataName } from '../spec/data-name.ts'
import type { SearchAttributePair } from '@temporalio/common'
import type { RunRecord } from './run.ts'

/** The search attributes by which Temporal finds runs, with their types. */
export const searchAttributes = {
  ZeroshiftDataset: 'KEYWORD',
  ZeroshiftMethods: 'KEYWORD_LIST',
  ZeroshiftRanks: 'KEYWORD_LIST',
  ZeroshiftConfig: 'KEYWORD',
  ZeroshiftSweep: 'KEYWORD',
} as const
export type SearchAttribute = keyof typeof searchAttributes

/** The search attributes of a run. `sweep`: the id of the sweep if the run is one of its cells. */
export function searchAttributesOf({ id, spec }: RunRecord, sweep?: string): SearchAttributePair[] {
  const keyword = (name: 'ZeroshiftDataset' | 'ZeroshiftConfig' | 'ZeroshiftSweep', value: string) => ({
    key: { name, type: searchAttributes[name] },
    value,
  })
  const keywords = (name: 'ZeroshiftMethods' | 'ZeroshiftRanks', values: readonly string[]) => ({
    key: { name, type: searchAttributes[name] },
    value: [...new Set(values)],
  })
  return [
    keyword('ZeroshiftDataset', dataName(spec.data)),
    keywords(
      'ZeroshiftMethods',
      spec.methods.map((row) => (row.method === 'plugin' ? row.plugin.name : row.method)),
    ),
    keywords(
      'ZeroshiftRanks',
      spec.methods.flatMap((method) => ('rank' in method ? [String(method.rank)] : [])),
    ),
    keyword('ZeroshiftConfig', configHashOf(id)),
    ...(sweep === undefined ? [] : [keyword('ZeroshiftSweep', sweep)]),
  ]
}

/** The digest of what a run computes, independent of its name: the end of its id (see runId). */
function configHashOf(id: string): string {
  return id.slice(-8)
}
