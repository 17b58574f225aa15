import { useMemo, useRef } from 'preact/hooks'
import { counted } from '../../../../common/counted.ts'
import { useWindowRows } from '../../controls/use-window-rows.ts'
import { FailureBanner, useFollow, usePageTitle } from '../../shell/page-state.tsx'
import { hashOf, listOf, listText } from '../../shell/route.ts'
import { useNow } from '../../shell/use-now.ts'
import { useRoute } from '../../shell/use-route.tsx'
import { questions } from '../../source/questions.ts'
import { useAnswer } from '../../source/use-source.ts'
import { toggled } from '../../document/table-view.ts'
import type { View } from '../view.ts'
import { FilterBar } from './filter-bar.tsx'
import { selectRuns } from './filters.ts'
import { mergedRuns } from './merge.ts'
import { RunLine } from './run-line.tsx'

export const runsView: View = {
  name: 'runs',
  navigation: 'Runs',
  isExported: true,
  matches: ({ length, 0: name }) => length === 0 || (length === 1 && name === 'runs'),
  Component: RunsView,
}

/** The list of all runs, which changes while they run. */
function RunsView() {
  usePageTitle('Runs')
  const { answer, failure, update, reload } = useAnswer(questions.runs())
  useFollow(
    {},
    {
      runs: (event) => {
        // An event with changes alone comes after the list that it changes.
        update((before) => mergedRuns(before, event))
      },
    },
  )
  const { query, setQuery } = useRoute()
  const runs = useMemo(() => answer?.runs ?? [], [answer])
  const selected = useMemo(() => selectRuns(runs, query), [runs, query])
  const now = useNow(runs.length > 0)
  const chosen = listOf(query.compare)
  const list = useRef<HTMLUListElement>(null)
  const { items, height, offset, measure } = useWindowRows(list, selected.length, 112)
  return (
    <>
      <h1>Runs</h1>
      {failure && <FailureBanner title="The list cannot be loaded." failure={failure} />}
      {answer && runs.length === 0 && (
        <p>
          The store has no runs yet. <code>zeroshift run CONFIG</code> starts one, which then appears here.
        </p>
      )}
      {runs.length > 0 && (
        <>
          <FilterBar runs={runs} />
          <div class="list-head">
            <p role="status">
              {selected.length === runs.length
                ? counted(runs.length, 'run')
                : `${selected.length} of ${counted(runs.length, 'run')}`}
            </p>
            <CompareBar
              chosen={chosen}
              onClear={() => {
                setQuery({ compare: undefined })
              }}
            />
          </div>
          <ul class="runs" ref={list} style={{ height: `${height}px` }}>
            {items.map(({ index, start }) => {
              const run = selected[index]
              return (
                run && (
                  <RunLine
                    key={run.id}
                    run={run}
                    now={now}
                    measure={measure}
                    place={{ index, count: selected.length, top: start - offset }}
                    isChosen={chosen.includes(run.id)}
                    onChoose={() => {
                      setQuery({ compare: listText(toggled(chosen, run.id)) })
                    }}
                    onChange={reload}
                  />
                )
              )
            })}
          </ul>
        </>
      )}
    </>
  )
}

/** The way to the comparison of the chosen runs. */
function CompareBar({
  chosen,
  onClear,
}: {
  readonly chosen: readonly string[]
  readonly onClear: () => void
}) {
  if (chosen.length === 0) return <p class="note">Select two or more runs to compare them.</p>
  return (
    <p class="compare-bar">
      {chosen.length < 2 ? (
        <span class="note">Select another run to compare.</span>
      ) : (
        <a class="button" href={hashOf(['compare'], { runs: listText(chosen) })}>
          Compare {chosen.length} runs
        </a>
      )}{' '}
      <button type="button" class="small" onClick={onClear}>
        Clear selection
      </button>
    </p>
  )
}
