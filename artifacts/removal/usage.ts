import type { StageKind } from '../../experiment/stages/stage.ts'
import type { StoredObject } from '../store/object-store.ts'
import { neededBy, stageFolders } from './gc.ts'
import { blobDigest, type Inventory } from './inventory.ts'

/** The bytes that one run, sweep or ledger takes. */
export interface RunUsage {
  /** The name of a ledger. */
  readonly id: string
  readonly kind: 'run' | 'sweep' | 'ledger'
  /** The bytes of its records and report, and of the stages and blobs that nothing else needs. */
  readonly own: number
  /** The bytes of the stages and blobs that other runs or ledgers need as well. */
  readonly shared: number
}

/** The bytes of the results of one kind of stage. A blob of several kinds counts for the first. */
export interface KindUsage {
  readonly kind: StageKind
  readonly stages: number
  readonly bytes: number
}

/** The bytes that a store takes. */
export interface Usage {
  /** All objects of the store. */
  readonly bytes: number
  /** The greatest own share first. */
  readonly runs: readonly RunUsage[]
  readonly kinds: readonly KindUsage[]
  /** The bytes of records, reports, attachments of runs, and models that only ledgers have. */
  readonly records: number
  /** The bytes of stages and blobs that no run and no ledger needs. */
  readonly unneeded: number
  /** The runs whose needs are unknown, because their records are damaged. */
  readonly unknown: readonly string[]
}

/** What each run, sweep and ledger and each kind of stage takes. Pure. */
export function usageOf({ objects, runs, sweeps, ledgers = new Map(), manifests }: Inventory): Usage {
  const folders = new Map(stageFolders(objects).map(({ path, objects: own }) => [path, own]))
  const blobs = new Map(objects.flatMap((object) => withDigest(object)))
  const partsOf = (stages: Iterable<string>) => partsIn(stages, manifests)
  const users = new Map<string, number>()
  const owners = [
    ...[...runs.values()].map(({ id, objects: own, stages = [], attachments }) => ({
      ...{ id, kind: 'run' as const, objects: own },
      parts: new Set([...partsOf(stages), ...attachments]),
    })),
    ...[...ledgers].map(([id, { objects: own, models }]) => ({
      ...{ id, kind: 'ledger' as const, objects: own, parts: models },
    })),
  ]
  for (const { parts } of owners) for (const part of parts) users.set(part, (users.get(part) ?? 0) + 1)
  const sizeOf = (part: string) => bytesOf(folders.get(part) ?? []) + (blobs.get(part) ?? 0)
  const sum = (parts: readonly string[]) => parts.reduce((bytes, part) => bytes + sizeOf(part), 0)

  const usages = [
    ...owners.map(({ id, kind, objects: records, parts }): RunUsage => {
      const own = [...parts].filter((part) => users.get(part) === 1)
      const shared = [...parts].filter((part) => users.get(part) !== 1)
      return { id, kind, own: bytesOf(records) + sum(own), shared: sum(shared) }
    }),
    ...[...sweeps.values()].map(({ id, objects: own }): RunUsage => ({
      ...{ id, kind: 'sweep', own: bytesOf(own), shared: 0 },
    })),
  ]
  const records = bytesOf([...runs, ...sweeps, ...ledgers].flatMap(([, { objects: own }]) => own))
  const needed = new Set([...partsOf(neededBy(runs)), ...owners.flatMap(({ parts }) => [...parts])])
  const ofStages = partsOf(folders.keys())
  const others = [...blobs.keys()].filter((part) => needed.has(part) && !ofStages.has(part))
  return {
    bytes: bytesOf(objects) + records,
    runs: usages.sort((a, b) => b.own - a.own || b.shared - a.shared),
    kinds: kindsOf([...folders.keys()], manifests, sizeOf),
    records: records + sum(others),
    unneeded: sum([...folders.keys(), ...blobs.keys()].filter((part) => !needed.has(part))),
    unknown: [...runs.values()].flatMap(({ id, stages }) => (stages === undefined ? [id] : [])),
  }
}

/** Stage folders and the SHA-256s of their blobs. */
function partsIn(stages: Iterable<string>, manifests: Inventory['manifests']): ReadonlySet<string> {
  return new Set([...stages].flatMap((path) => [path, ...(manifests.get(path) ?? [])]))
}

function kindsOf(
  stages: readonly string[],
  manifests: Inventory['manifests'],
  sizeOf: (part: string) => number,
): readonly KindUsage[] {
  const counted = new Set<string>()
  const kinds = new Map<string, { stages: number; bytes: number }>()
  for (const path of stages) {
    const [, kind = ''] = path.split('/')
    const parts = [...partsIn([path], manifests)].filter((part) => !counted.has(part))
    for (const part of parts) counted.add(part)
    const { stages: count, bytes } = kinds.get(kind) ?? { stages: 0, bytes: 0 }
    kinds.set(kind, { stages: count + 1, bytes: parts.reduce((all, part) => all + sizeOf(part), bytes) })
  }
  return [...kinds]
    .map(([kind, usage]) => ({ kind: kind as StageKind, ...usage }))
    .sort((a, b) => b.bytes - a.bytes)
}

function withDigest(object: StoredObject): readonly (readonly [string, number])[] {
  const digest = blobDigest(object)
  return digest === undefined ? [] : [[digest, object.bytes]]
}

function bytesOf(objects: readonly StoredObject[]): number {
  return objects.reduce((bytes, object) => bytes + object.bytes, 0)
}
