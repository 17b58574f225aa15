import { size } from '../../common/size.ts'
import type { Garbage } from '../../artifacts/removal/gc.ts'
import type { StoredObject } from '../../artifacts/store/object-store.ts'
import { columns } from './print.ts'

interface GarbageKind {
  readonly name: keyof Garbage
  readonly count: number
  readonly objects: readonly StoredObject[]
}

/** Returns the objects of each kind of garbage. A kind may be empty. */
export function kindsOf({ stages, ...kinds }: Garbage): readonly GarbageKind[] {
  const each = (name: Exclude<keyof Garbage, 'stages'>) => {
    const objects = kinds[name]
    return { name, count: objects.length, objects }
  }
  return [
    { name: 'stages', count: stages.length, objects: stages.flatMap(({ objects }) => objects) },
    ...(['blobs', 'checkpoints', 'leases', 'probes', 'removals'] as const).map(each),
  ]
}

export function objectsOf(garbage: Garbage): readonly StoredObject[] {
  return kindsOf(garbage).flatMap(({ objects }) => objects)
}

export function bytesOf(objects: readonly StoredObject[]): number {
  return objects.reduce((bytes, object) => bytes + object.bytes, 0)
}

/** Returns the counts and the size for `--json`. */
export function summaryOf(garbage: Garbage): object {
  return {
    stages: garbage.stages.length,
    blobs: garbage.blobs.length,
    bytes: bytesOf(objectsOf(garbage)),
  }
}

/**
 * Returns a table of the kinds with their counts, their sizes and the total, or undefined if there
 * is no garbage.
 */
export function garbageTable(garbage: Garbage, bold: (text: string) => string): string | undefined {
  const kinds = kindsOf(garbage).filter(({ count }) => count > 0)
  if (kinds.length === 0) return undefined
  const rows = kinds.map(({ name, count, objects }) => [name, String(count), size(bytesOf(objects))] as const)
  const total = ['total', '', size(bytesOf(objectsOf(garbage)))] as const
  const cells = [['', 'COUNT', 'SIZE'] as const, ...rows, total]
  const width = (column: 1 | 2) => Math.max(...cells.map((row) => row[column].length))
  const lines = columns(
    cells.map(([name, count, bytes]) => [name, count.padStart(width(1)), bytes.padStart(width(2))]),
  ).split('\n')
  return [...lines.slice(0, -1), bold(lines.at(-1) ?? '')].join('\n')
}
