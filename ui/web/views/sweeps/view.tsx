import { FilterForm, SearchField } from '../../controls/filter-form.tsx'
import { ProgressBar, StatusBadge } from '../../controls/status.tsx'
import { agoText, timeText } from '../../format.ts'
import { FailureBanner, usePageTitle } from '../../shell/page-state.tsx'
import { hashOf } from '../../shell/route.ts'
import { useEvery } from '../../shell/use-every.ts'
import { useNow } from '../../shell/use-now.ts'
import { useRoute } from '../../shell/use-route.tsx'
import { questions } from '../../source/questions.ts'
import { useAnswer } from '../../source/use-source.ts'
import type { View } from '../view.ts'

export const sweepsView: View = {
  name: 'sweeps',
  navigation: 'Sweeps',
  matches: ({ length, 0: name }) => length === 1 && name === 'sweeps',
  Component: SweepsPage,
}

const ASK_AGAIN_SECONDS = 5

function SweepsPage() {
  usePageTitle('Sweeps')
  const { answer, failure, reload } = useAnswer(questions.sweeps())
  const { query, setQuery } = useRoute()
  const sweeps = answer?.sweeps ?? []
  const now = useNow(true)
  // A sweep may have been started since.
  useEvery(answer !== undefined, ASK_AGAIN_SECONDS, reload)
  const text = (query.text ?? '').toLowerCase()
  const shown = sweeps.filter(({ id, state }) => `${id} ${state}`.toLowerCase().includes(text))
  return (
    <>
      <h1>Sweeps</h1>
      {failure && <FailureBanner title="The list cannot be loaded." failure={failure} />}
      {answer && sweeps.length === 0 && (
        <p>
          The store has no sweeps. <code>zeroshift sweep CONFIG</code> starts one.
        </p>
      )}
      {sweeps.length > 0 && (
        <FilterForm isSearch>
          <SearchField
            value={query.text ?? ''}
            onInput={(value) => {
              setQuery({ text: value === '' ? undefined : value })
            }}
          />
        </FilterForm>
      )}
      <ul class="plain-list">
        {shown.map(({ id, state, cells, done, failed, startedAt }) => (
          <li key={id} class="sweep-line">
            <a href={hashOf(['sweeps', id])}>{id}</a>
            <StatusBadge state={state} />
            <div class="stage-bar">
              <ProgressBar
                share={done / Math.max(1, cells)}
                failed={failed / Math.max(1, cells)}
                label={id}
              />
              <small>
                {done} of {cells} cells{failed > 0 && ` · ${failed} failed`}
              </small>
            </div>
            {startedAt !== undefined && (
              <time dateTime={startedAt} title={timeText(startedAt)}>
                {agoText(startedAt, now)}
              </time>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
