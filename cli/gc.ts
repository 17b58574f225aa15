import { deleteGarbage, garbage, takeInventory, type Garbage } from '../artifacts/gc.ts'
import { openStore, type StoredObject } from '../artifacts/store.ts'
import { UserError } from '../experiment/errors.ts'
import { quoted } from '../report/command.ts'
import { refuseOtherThings } from './existing-store.ts'
import { counted } from './format.ts'
import { storeFor } from './place.ts'
import { coloursOf, columns, print, printJson, whereOf } from './print.ts'

export interface GcOptions {
  readonly delete?: true
  readonly grace: string
  readonly json?: true
  readonly store?: string
}

/** `zeroshift gc`: what no run refers to; with `--delete`, away with it. */
export async function gc({ grace: text, json, store: named, ...options }: GcOptions): Promise<number> {
  const wanted = options.delete ?? false
  const grace = graceOf(text)
  const url = storeFor(named)
  await refuseOtherThings(url, { mayBeMissing: false })
  const store = openStore(url)
  const inventory = await takeInventory(store)
  const found = wanted ? await deleteGarbage(store, inventory, grace) : garbage(inventory, grace)
  const kinds = kindsOf(found)
  const { runs, damagedRuns } = inventory
  if (json) {
    const objects = Object.fromEntries(
      Object.entries(kinds).map(([kind, { objects }]) => [kind, objects.map(({ path }) => path)]),
    )
    const bytes = sum(Object.values(kinds).flatMap(({ objects }) => objects))
    printJson({ store: url, deleted: wanted, runs: runs.size, damagedRuns, bytes, garbage: objects })
    return 0
  }

  const { bold, yellow } = coloursOf(process.stdout)
  const where = `${whereOf(url)} (${counted(runs.size, 'run')})`
  const some = Object.entries(kinds).filter(([, { count }]) => count > 0)
  if (some.length === 0) print(`Nothing older than ${text} is unused in ${where}.`)
  else {
    print(`${wanted ? 'Deleted from' : 'Unused in'} ${where}:`)
    print(table(some, bold))
  }
  for (const path of damagedRuns)
    print(yellow(`${path} has no run.json, so nothing is known of that run. It is left alone.`))
  if (some.length > 0 && !wanted)
    print(`\nTo delete it: ${['./zeroshift gc --delete', ...given(text, named)].join(' ')}`)
  return 0
}

interface Kind {
  readonly count: number
  readonly objects: readonly StoredObject[]
}

function kindsOf({ stages, blobs, checkpoints, leases, probes }: Garbage): Readonly<Record<string, Kind>> {
  const each = (objects: readonly StoredObject[]) => ({ count: objects.length, objects })
  return {
    stages: { count: stages.length, objects: stages.flatMap(({ objects }) => objects) },
    blobs: each(blobs),
    checkpoints: each(checkpoints),
    leases: each(leases),
    probes: each(probes),
  }
}

function table(kinds: readonly (readonly [string, Kind])[], bold: (text: string) => string): string {
  const rows = kinds.map(([name, { count, objects }]) => [name, String(count), size(sum(objects))] as const)
  const all = kinds.flatMap(([, { objects }]) => objects)
  const total = ['total', '', size(sum(all))] as const
  const cells = [['', 'COUNT', 'SIZE'] as const, ...rows, total]
  const width = (column: 1 | 2) => Math.max(...cells.map((row) => row[column].length))
  const lines = columns(
    cells.map(([name, count, bytes]) => [name, count.padStart(width(1)), bytes.padStart(width(2))]),
  ).split('\n')
  return [...lines.slice(0, -1), bold(lines.at(-1) ?? '')].join('\n')
}

function sum(objects: readonly StoredObject[]): number {
  return objects.reduce((bytes, object) => bytes + object.bytes, 0)
}

/** The options that make the next command mean the same store and age. */
function given(grace: string, store: string | undefined): string[] {
  return [
    ...(grace === '24h' ? [] : [`--grace ${grace}`]),
    ...(store === undefined ? [] : [`--store ${quoted(store)}`]),
  ]
}

const milliseconds = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const SHORTEST = 10 * milliseconds.m

/** Milliseconds. Throws a UserError. */
export function graceOf(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([mhd])$/.exec(text) ?? []
  const grace = Number(number) * milliseconds[unit as keyof typeof milliseconds]
  if (grace >= SHORTEST && grace <= Number.MAX_SAFE_INTEGER) return grace
  throw new UserError(
    `--grace: expected a time such as 30m, 24h or 7d, at least 10m, found '${text}'. What is younger may belong to a ` +
      'stage that is being stored',
  )
}

/** `512 B`, `3.2 kB`, `1.23 GB`: three digits, powers of 1000. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let power = 0
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000
    power++
  }
  const digits = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${units[power] ?? ''}`
}
