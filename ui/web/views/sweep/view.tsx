import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { SweepProgress } from '../../../../experiment/sweep/sweep.ts'
import type { SweepCell, SweepNews, SweepView } from '../../../contract.ts'
import { RunControls } from '../../controls/run-controls.tsx'
import { ProgressBar, StatusBadge } from '../../controls/status.tsx'
import { TabBar } from '../../controls/tab-bar.tsx'
import { DocumentView } from '../../document/document.tsx'
import { timeText } from '../../format.ts'
import { FailureBanner, NoAnswer, useFollow, usePageTitle } from '../../shell/page-state.tsx'
import { hashOf } from '../../shell/route.ts'
import { useEvery } from '../../shell/use-every.ts'
import { useRoute } from '../../shell/use-route.tsx'
import { questions } from '../../source/questions.ts'
import { useAnswer } from '../../source/use-source.ts'
import type { View, ViewProps } from '../view.ts'
import { cellsOf } from '../../../sweep-columns.ts'
import { Explorer } from './explorer.tsx'

export const sweepView: View = {
  name: 'sweeps',
  matches: ({ length, 0: name }) => (length === 2 || length === 3) && name === 'sweeps',
  Component: SweepPage,
}

/** Thousands of cells are not loaded again for each of them that ends. */
const ASK_AGAIN_SECONDS = 3

function SweepPage({ path: [, id = '', part] }: ViewProps) {
  usePageTitle(id)
  const { answer, failure, reload } = useAnswer(questions.sweep(id))
  const [live, setLive] = useState<SweepNews>()
  useFollow(
    { sweep: id },
    {
      sweep: (news) => {
        if (news.entry.id === id) setLive(news)
      },
    },
  )
  const news = live?.entry.id === id ? live : answer
  const progress = news?.progress
  const version = news ? [news.entry.state, news.entry.done, news.entry.failed, progress?.stopped].join() : ''
  const loaded = useRef('')
  useEffect(() => {
    if (loaded.current === '') loaded.current = version
  }, [version])
  useEvery(version !== loaded.current, ASK_AGAIN_SECONDS, () => {
    loaded.current = version
    reload()
  })
  // The server reads further reports for each request until it has read all.
  const isReading = answer?.reading !== undefined
  useEffect(() => {
    if (isReading) reload()
  }, [answer, isReading])
  if (!answer || !news)
    return (
      <>
        <h1>{id}</h1>
        <NoAnswer failure={failure} title="The sweep cannot be loaded." />
      </>
    )
  return (
    <>
      <SweepHead {...news} onChange={reload} />
      {failure && <FailureBanner title="The sweep cannot be brought up to date." failure={failure} />}
      <TabBar
        label="Parts of the sweep"
        tabs={parts.map(({ name, title }) => ({
          title,
          href: hashOf(name === undefined ? ['sweeps', id] : ['sweeps', id, name]),
          isCurrent: part === name,
        }))}
      />
      {part === 'report' ? (
        <Report id={id} version={loaded.current} />
      ) : (
        <>
          {answer.reading && <Reading {...answer.reading} />}
          <Cells view={answer} progress={progress} />
        </>
      )}
    </>
  )
}

const parts = [
  { name: undefined, title: 'Cells' },
  { name: 'report', title: 'Report' },
] as const

/** How many of the reports of a large sweep are read. */
function Reading({ read, reports }: NonNullable<SweepView['reading']>) {
  return (
    <div class="stage-bar sweep-bar">
      <ProgressBar share={read / Math.max(1, reports)} label="reports read" />
      <small role="status">
        {read} of {reports} reports are read. The figures of the other cells follow.
      </small>
    </div>
  )
}

/** The comparison of all cells. It is loaded again when cells have ended. */
function Report({ id, version }: { readonly id: string; readonly version: string }) {
  const { answer, failure, reload } = useAnswer(questions.sweepReport(id))
  const shown = useRef(version)
  useEffect(() => {
    if (shown.current !== version) reload()
    shown.current = version
  }, [version])
  if (!answer)
    return (
      <NoAnswer
        failure={failure}
        title="The comparison cannot be loaded."
        waiting="The cells are compared …"
      />
    )
  return <DocumentView document={answer.document} />
}

function SweepHead({
  entry: { id, state, startedAt, cells, done, failed },
  progress,
  onChange,
}: SweepNews & { readonly onChange: () => void }) {
  const { go } = useRoute()
  const counts = [
    `${done} of ${cells} cells done`,
    ...(progress ? [`${progress.running.length} running, ${progress.maxParallel} at once`] : []),
    ...(progress && progress.cached > 0 ? [`${progress.cached} cached`] : []),
    ...(progress && progress.incomplete > 0 ? [`${progress.incomplete} without some stages`] : []),
    ...(progress && progress.stopped > 0 ? [`${progress.stopped} stopped early`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ]
  return (
    <div class="run-head">
      <p class="eyebrow">Sweep</p>
      <h1>{id}</h1>
      <div class="run-facts">
        <StatusBadge state={state} />
        {startedAt !== undefined && (
          <span>
            started <time dateTime={startedAt}>{timeText(startedAt)}</time>
          </span>
        )}
        <a href={hashOf(['runs'], { sweep: id })}>its runs</a>
        <RunControls
          id={id}
          state={state}
          isSweep
          onChange={onChange}
          onDelete={() => {
            go(['sweeps'])
          }}
        />
      </div>
      <div class="stage-bar sweep-bar">
        <ProgressBar share={done / Math.max(1, cells)} failed={failed / Math.max(1, cells)} label="cells" />
        <small>{counts.join(' · ')}</small>
      </div>
      {progress?.failures.slice(-3).map(({ cell, run, reason }) => (
        <p key={run} class="failure">
          ✗ cell {cell + 1}: {reason}
        </p>
      ))}
    </div>
  )
}

function Cells({
  view,
  progress,
}: {
  readonly view: SweepView
  readonly progress: SweepProgress | undefined
}) {
  const { go } = useRoute()
  const stored = useMemo(() => cellsOf(view.cells), [view])
  const cells = useMemo(() => liveCells(stored, progress), [stored, progress])
  return (
    <Explorer
      cells={cells}
      parameters={view.parameters}
      onOpen={({ cell }) => {
        go(['runs', cell.run])
      }}
    />
  )
}

/** The cells with those that have begun to run since they were loaded. */
function liveCells(cells: readonly SweepCell[], progress: SweepProgress | undefined): readonly SweepCell[] {
  if (!progress || progress.running.length === 0) return cells
  const running = new Set(progress.running.map(({ cell }) => cell))
  return cells.map((cell, i) =>
    running.has(i) && cell.state === 'waiting' ? { ...cell, state: 'running' } : cell,
  )
}
