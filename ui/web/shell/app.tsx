import { useEffect, useRef } from 'preact/hooks'
import { questions } from '../source/questions.ts'
import type { Source } from '../source/source.ts'
import { SourceContext, useAnswer } from '../source/use-source.ts'
import { views } from '../views/index.ts'
import { Header } from './header.tsx'
import { FailureBanner, PageStateProvider, usePageState } from './page-state.tsx'
import { hashOf } from './route.ts'
import { RouteProvider, useRoute } from './use-route.tsx'

export function App({ source }: { readonly source: Source }) {
  return (
    <SourceContext.Provider value={source}>
      <RouteProvider>
        <WithSession />
      </RouteProvider>
    </SourceContext.Provider>
  )
}

function WithSession() {
  const { answer, failure, reload } = useAnswer(questions.session())
  if (answer)
    return (
      <PageStateProvider session={answer}>
        <Shell />
      </PageStateProvider>
    )
  return (
    <main>
      {failure ? (
        <>
          <FailureBanner title="Zeroshift cannot be reached." failure={failure} />
          <button type="button" onClick={reload}>
            Try again
          </button>
        </>
      ) : (
        <p class="note" role="status">
          Loading …
        </p>
      )}
    </main>
  )
}

function Shell() {
  const { path } = useRoute()
  const main = useRef<HTMLElement>(null)
  const place = path.join('/')
  const isFirst = useRef(true)
  // A reader of a new view begins at its start.
  useEffect(() => {
    if (!isFirst.current) {
      scrollTo(0, 0)
      main.current?.focus({ preventScroll: true })
    }
    isFirst.current = false
  }, [place])
  const view = views.find(({ matches }) => matches(path))
  return (
    <>
      <Header
        onSkip={() => {
          main.current?.focus()
        }}
      />
      <main id="main" tabIndex={-1} ref={main}>
        {view ? (
          <view.Component path={path} />
        ) : (
          <>
            <h1>Nothing is here</h1>
            <p>
              The page has no view at <code>#/{place}</code>. <a href={hashOf(['runs'])}>Go to the runs.</a>
            </p>
          </>
        )}
      </main>
      <Notices />
    </>
  )
}

function Notices() {
  const { notice, setNotice } = usePageState()
  return (
    <div class="notices" role="status">
      {notice && (
        <div class={`notice ${notice.tone}`}>
          <p>
            {notice.text} {notice.remedy}
          </p>
          <button
            type="button"
            class="small"
            aria-label="Close the message"
            onClick={() => {
              setNotice(undefined)
            }}
          >
            ×
          </button>
        </div>
      )}
    </div>
  )
}
