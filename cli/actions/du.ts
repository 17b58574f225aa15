import { size } from '../../common/size.ts'
import { takeInventory } from '../../artifacts/removal/inventory.ts'
import { usageOf, type Usage } from '../../artifacts/removal/usage.ts'
import { openStore } from '../../artifacts/store/open-store.ts'
import { counted } from '../output/format.ts'
import { coloursOf, columns, pathOrUrl, print, printJson } from '../output/print.ts'
import { refuseNonDirectory } from '../workspace/existing-store.ts'
import { storeFor } from '../workspace/workspace.ts'

interface DuOptions {
  readonly json?: true
  readonly store?: string
}

/**
 * `zeroshift du`: shows the bytes that each run has alone and that it shares with other runs, and
 * the bytes of each kind of stage.
 */
export async function du({ json, store: named }: DuOptions): Promise<number> {
  const url = storeFor(named)
  await refuseNonDirectory(url, { mayBeMissing: false })
  const usage = usageOf(await takeInventory(openStore(url)))
  if (json) printJson({ store: url, ...usage })
  else for (const line of linesOf(pathOrUrl(url), usage)) print(line)
  return 0
}

function linesOf(
  store: string,
  { bytes, runs, kinds, records, unneeded, unknown }: Usage,
): readonly string[] {
  const { yellow } = coloursOf(process.stdout)
  return [
    `${store}: ${size(bytes)}`,
    ...(runs.length === 0
      ? ['The store has no runs.']
      : [
          '',
          sizes([
            ['RUN, SWEEP OR LEDGER', 'ALONE', 'SHARED'],
            ...runs.map(({ id, kind, own, shared }) => [
              ...[kind === 'ledger' ? `${id} (ledger)` : id, size(own), size(shared)],
            ]),
          ]),
        ]),
    '',
    sizes([
      ['KIND', 'STAGES', 'SIZE'],
      ...kinds.map(({ kind, stages, bytes: of }) => [kind, String(stages), size(of)]),
      ['records and other files', '', size(records)],
    ]),
    ...(unneeded > 0 ? ['', `No run needs ${size(unneeded)}: \`./zeroshift gc\` lists it.`] : []),
    ...(unknown.length > 0
      ? [
          yellow(
            `What ${counted(unknown.length, 'run')} needs is unknown (${unknown.join(', ')}): ./zeroshift gc says more.`,
          ),
        ]
      : []),
  ]
}

/** A table whose columns after the first are aligned to the right. */
function sizes(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => (row[column] ?? '').length))
  return columns(rows.map((row) => row.map((cell, i) => (i === 0 ? cell : cell.padStart(width(i))))))
}
