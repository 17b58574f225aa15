import { useEffect, useState } from 'preact/hooks'
import type { RunProgress } from '../../../../experiment/records/run.ts'
import { duration } from '../../../../report/format.ts'
import type { RunEntry, RunView } from '../../../contract.ts'
import { ExportLink } from '../../controls/export-link.tsx'
import { RunControls } from '../../controls/run-controls.tsx'
import { StageBar, StatusBadge } from '../../controls/status.tsx'
import { TabBar } from '../../controls/tab-bar.tsx'
import { timeText } from '../../format.ts'
import { FailureBanner, NoAnswer, useFollow, usePageTitle } from '../../shell/page-state.tsx'
import { hashOf } from '../../shell/route.ts'
import { useNow } from '../../shell/use-now.ts'
import { useRoute } from '../../shell/use-route.tsx'
import { questions } from '../../source/questions.ts'
import { useAnswer } from '../../source/use-source.ts'
import type { View, ViewProps } from '../view.ts'
import { endedStages } from './groups.ts'
import { ProgressView } from './progress.tsx'
import { runTabs } from './tabs/index.ts'

export const runView: View = {
  name: 'runs',
  matches: ({ length, 0: name }) => (length === 2 || length === 3) && name === 'runs',
  Component: RunPage,
}

function RunPage({ path: [, id = '', tab] }: ViewProps) {
  usePageTitle(id)
  const { answer, failure, reload } = useAnswer(questions.run(id))
  const [live, setLive] = useState<RunProgress>()
  const [entry, setEntry] = useState<RunEntry>()
  useFollow(
    { run: id },
    {
      run: (progress) => {
        if (progress.id === id) setLive(progress)
      },
      runs: ({ runs }) => {
        const found = runs.find((run) => run.id === id)
        if (found) setEntry(found)
      },
    },
  )
  const progress = live?.id === id ? live : answer?.progress
  const current = entry?.id === id ? entry : answer?.entry
  // The report is loaded again when stages have ended or the run has changed its state.
  const present = versionOf(progress, current)
  const shown = versionOf(answer?.progress, answer?.entry)
  useEffect(() => {
    if (shown !== undefined && present !== shown) reload()
  }, [present, shown])
  if (!answer || !current)
    return (
      <>
        <h1>{id}</h1>
        <NoAnswer failure={failure} title="The run cannot be loaded." />
      </>
    )
  return (
    <>
      <RunHead entry={current} run={answer} onChange={reload} />
      {failure && <FailureBanner title="The report cannot be brought up to date." failure={failure} />}
      {progress && <LiveProgress progress={progress} entry={current} />}
      <Tabs run={answer} chosen={tab} />
    </>
  )
}

/** Answers and events with the same text belong to the same report. */
function versionOf(progress: RunProgress | undefined, entry: RunEntry | undefined): string | undefined {
  return entry && `${progress ? endedStages(progress.stages) : ''} ${entry.state}`
}

function RunHead({
  entry,
  run: { document },
  onChange,
}: {
  readonly entry: RunEntry
  readonly run: RunView
  readonly onChange: () => void
}) {
  const { go } = useRoute()
  const { id, state, startedAt, seconds, note, tags, sweep } = entry
  return (
    <div class="run-head">
      <p class="eyebrow">{document.kind}</p>
      <h1>{id}</h1>
      <div class="run-facts">
        <StatusBadge state={state} />
        {startedAt !== undefined && (
          <span>
            started <time dateTime={startedAt}>{timeText(startedAt)}</time>
          </span>
        )}
        {seconds !== undefined && <span>took {duration(seconds)}</span>}
        {sweep !== undefined && (
          <span>
            a cell of <a href={hashOf(['sweeps', sweep])}>{sweep}</a>
          </span>
        )}
        {tags.map((tag) => (
          <a key={tag} class="chip" href={hashOf(['runs'], { tag })}>
            {tag}
          </a>
        ))}
        <div class="run-facts-end">
          <RunControls
            id={id}
            state={state}
            onChange={onChange}
            onDelete={() => {
              go(['runs'])
            }}
          />
          <ExportLink runs={[id]} />
        </div>
      </div>
      {note !== undefined && <p class="run-note">{note}</p>}
    </div>
  )
}

/** The progress of a run that is under way, or a line that opens it. */
function LiveProgress({ progress, entry }: { readonly progress: RunProgress; readonly entry: RunEntry }) {
  const isUnderWay = entry.state === 'running' || entry.state === 'paused'
  const now = useNow(isUnderWay)
  const view = <ProgressView progress={progress} now={now} />
  if (!isUnderWay)
    return (
      <details class="progress-card">
        <summary>Stages</summary>
        {view}
      </details>
    )
  return (
    <section class="progress-card" aria-label="Progress">
      <StageBar stages={entry.stages} secondsLeft={entry.secondsLeft} />
      {view}
    </section>
  )
}

function Tabs({ run, chosen }: { readonly run: RunView; readonly chosen: string | undefined }) {
  const shown = runTabs.filter(({ isShown }) => isShown(run))
  const current = shown.find(({ name }) => name === chosen) ?? shown[0]
  const { id } = run.entry
  return (
    <>
      <TabBar
        label="Parts of the run"
        tabs={shown.map((one, i) => ({
          title: one.title,
          href: hashOf(i === 0 ? ['runs', id] : ['runs', id, one.name]),
          isCurrent: one === current,
        }))}
      />
      {current && <current.Component run={run} />}
    </>
  )
}
