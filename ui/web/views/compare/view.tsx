import { download } from '../../controls/download.ts'
import { ExportLink } from '../../controls/export-link.tsx'
import { DocumentView } from '../../document/document.tsx'
import { FailureBanner, usePageTitle } from '../../shell/page-state.tsx'
import { hashOf, listOf } from '../../shell/route.ts'
import { useRoute } from '../../shell/use-route.tsx'
import { questions } from '../../source/questions.ts'
import { useAnswer } from '../../source/use-source.ts'
import type { View } from '../view.ts'

export const compareView: View = {
  name: 'compare',
  matches: ({ length, 0: name }) => length === 1 && name === 'compare',
  Component: ComparePage,
}

function ComparePage() {
  usePageTitle('Comparison')
  const { query } = useRoute()
  const runs = listOf(query.runs)
  if (runs.length < 2)
    return (
      <>
        <h1>Comparison</h1>
        <p>
          A comparison needs at least two runs.{' '}
          <a href={hashOf(['runs'], { compare: query.runs })}>Select them.</a>
        </p>
      </>
    )
  return <Comparison runs={runs} />
}

function Comparison({ runs }: { readonly runs: readonly string[] }) {
  const { answer, failure, isLoading } = useAnswer(questions.comparison(runs))
  return (
    <>
      <h1>{answer ? answer.document.title : 'Comparison'}</h1>
      <p class="run-facts">
        {runs.map((run) => (
          <a key={run} class="chip" href={hashOf(['runs', run])}>
            {run}
          </a>
        ))}
        <a href={hashOf(['runs'], { compare: runs.join(',') })}>Change the selection</a>
      </p>
      {failure && <FailureBanner title="The runs cannot be compared." failure={failure} />}
      {!answer && isLoading && (
        <p class="note" role="status">
          Comparing {runs.length} runs …
        </p>
      )}
      {answer && (
        <>
          <p class="buttons">
            <button
              type="button"
              onClick={() => {
                download('comparison.csv', answer.tables.csv, 'text/csv')
              }}
            >
              All results as CSV
            </button>
            <button
              type="button"
              onClick={() => {
                download('comparison.tex', answer.tables.latex, 'application/x-tex')
              }}
            >
              All results as LaTeX
            </button>
            <ExportLink runs={runs} />
          </p>
          <DocumentView document={answer.document} />
        </>
      )}
    </>
  )
}
