import { counted, grouped } from '../../../../common/counted.ts'
import { size } from '../../../../common/size.ts'
import type { Table } from '../../../../report/blocks.ts'
import type { StoreView } from '../../../contract.ts'
import { DataTable } from '../../document/data-table.tsx'
import { timeText } from '../../format.ts'
import { FailureBanner, usePageState, usePageTitle } from '../../shell/page-state.tsx'
import { hashOf } from '../../shell/route.ts'
import { questions } from '../../source/questions.ts'
import { useAnswer } from '../../source/use-source.ts'
import type { View } from '../view.ts'

export const storeView: View = {
  name: 'store',
  navigation: 'Store',
  matches: ({ length, 0: name }) => length === 1 && name === 'store',
  Component: StorePage,
}

function StorePage() {
  usePageTitle('Store')
  const { session } = usePageState()
  const { answer, failure, isLoading, reload } = useAnswer(questions.store())
  return (
    <>
      <h1>Store</h1>
      {session.store !== undefined && (
        <p class="lead">
          <code>{session.store}</code>
        </p>
      )}
      {failure && <FailureBanner title="The store cannot be read." failure={failure} />}
      {!answer && isLoading && (
        <p class="note" role="status">
          Adding up all objects …
        </p>
      )}
      {answer && (
        <>
          <StoreTiles store={answer} />
          <p class="buttons">
            <button type="button" class="small" disabled={isLoading} onClick={reload}>
              Add up again
            </button>
          </p>
          <h2>By run</h2>
          <p>
            What nothing but the run, the sweep or the ledger needs, and what others need too. Deleting a run
            frees the first.
          </p>
          <DataTable table={runsTable(answer)} />
          <h2>By kind of stage</h2>
          <DataTable table={kindsTable(answer)} />
        </>
      )}
    </>
  )
}

function StoreTiles({ store: { bytes, unneeded, check, kinds, runs } }: { readonly store: StoreView }) {
  const stages = kinds.reduce((sum, one) => sum + one.stages, 0)
  return (
    <dl class="tiles">
      <Tile
        name="Size"
        value={size(bytes)}
        about={`${counted(runs.filter(({ kind }) => kind === 'run').length, 'run')}, ${counted(stages, 'stage')}`}
      />
      <Tile
        name="Needed by no run"
        value={size(unneeded)}
        about={unneeded > 0 ? 'zeroshift gc deletes it' : 'nothing to delete'}
      />
      <Tile
        name="Last integrity check"
        value={check ? (check.faults === 0 ? 'no faults' : counted(check.faults, 'fault')) : 'none'}
        about={
          check
            ? `${timeText(check.finishedAt)}: ${counted(check.stages, 'stage')}, ${counted(check.blobs, 'blob')}`
            : 'zeroshift check reads everything'
        }
        isBad={check !== undefined && check.faults > 0}
      />
    </dl>
  )
}

function Tile({
  name,
  value,
  about,
  isBad = false,
}: {
  readonly name: string
  readonly value: string
  readonly about: string
  readonly isBad?: boolean
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? 'missing' : undefined}>
        {value} <small class="below">{about}</small>
      </dd>
    </div>
  )
}

function runsTable({ runs }: StoreView): Table {
  return {
    kind: 'table',
    name: 'Space by run',
    id: 'store-runs',
    columns: [{ label: 'Run, sweep or ledger' }, { label: 'Own' }, { label: 'Shared' }],
    rows: runs.map(({ id, kind, own, shared }) => ({
      cells: [
        kind === 'ledger' ? `${id} (ledger)` : { text: id, link: hashOf([`${kind}s`, id]) },
        sizeCell(own),
        sizeCell(shared),
      ],
    })),
  }
}

function kindsTable({ kinds, records }: StoreView): Table {
  return {
    kind: 'table',
    name: 'Space by kind of stage',
    id: 'store-kinds',
    columns: [{ label: 'Kind' }, { label: 'Stages' }, { label: 'Size' }],
    rows: [
      ...kinds.map(({ kind, stages, bytes }) => ({
        cells: [kind, { text: grouped(stages), exact: stages }, sizeCell(bytes)],
      })),
      { cells: ['records and reports', '', sizeCell(records)] },
    ],
  }
}

const sizeCell = (bytes: number) => ({ text: size(bytes), exact: bytes })
