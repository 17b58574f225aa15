import { useEffect, useRef, useState } from 'preact/hooks'
import { views } from '../views/index.ts'
import { Help } from './help.tsx'
import { usePageState } from './page-state.tsx'
import { hashOf } from './route.ts'
import { useTheme } from './theme.ts'
import { useRoute } from './use-route.tsx'

/** The name, the views, the connection and the theme. `onSkip` moves the focus to the view. */
export function Header({ onSkip }: { readonly onSkip: () => void }) {
  const { path } = useRoute()
  const { session, connection, temporal } = usePageState()
  const [theme, nextTheme] = useTheme()
  const [isHelpOpen, setHelpOpen] = useState(false)
  const next = useRef(nextTheme)
  next.current = nextTheme
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const work = shortcuts[event.key]
      if (!work) return
      event.preventDefault()
      work({
        openHelp: () => {
          setHelpOpen(true)
        },
        nextTheme: () => {
          next.current()
        },
      })
    }
    document.addEventListener('keydown', pressed)
    return () => {
      document.removeEventListener('keydown', pressed)
    }
  }, [])
  const section = path[0] ?? 'runs'
  return (
    <header class="shell">
      <button type="button" class="skip" onClick={onSkip}>
        Skip to the content
      </button>
      <a class="brand" href={hashOf(['runs'])}>
        <img src="icon.svg" alt="" width="24" height="24" /> Zeroshift
      </a>
      <nav aria-label="Views">
        {views.flatMap(({ name, navigation, isExported }) =>
          navigation === undefined || (session.exported && !isExported)
            ? []
            : [
                <a key={name} href={hashOf([name])} aria-current={section === name ? 'page' : undefined}>
                  {navigation}
                </a>,
              ],
        )}
      </nav>
      <div class="shell-end">
        {session.exported ? (
          <span class="connection stored">exported</span>
        ) : (
          connection !== 'none' && (
            <span
              class={`connection ${connection} ${temporal.address === undefined ? 'stored' : ''}`}
              role="status"
              title={
                temporal.address === undefined
                  ? 'No Temporal server answers, so that runs show what the store has.'
                  : `Temporal at ${temporal.address}`
              }
            >
              {connection === 'lost'
                ? 'connecting again …'
                : temporal.address === undefined
                  ? 'store only'
                  : 'live'}
            </span>
          )
        )}
        <button type="button" class="small" onClick={nextTheme} aria-label={`Theme: ${theme}. Change it.`}>
          {theme}
        </button>
        <button
          type="button"
          class="small"
          aria-label="Help"
          onClick={() => {
            setHelpOpen(true)
          }}
        >
          ?
        </button>
      </div>
      <Help
        isOpen={isHelpOpen}
        onClose={() => {
          setHelpOpen(false)
        }}
      />
    </header>
  )
}

interface Actions {
  readonly openHelp: () => void
  readonly nextTheme: () => void
}

const shortcuts: Readonly<Record<string, (actions: Actions) => void>> = {
  '?': ({ openHelp }) => {
    openHelp()
  },
  '/': () => {
    document.querySelector<HTMLInputElement>('input[type="search"]')?.focus()
  },
  t: ({ nextTheme }) => {
    nextTheme()
  },
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches('input, select, textarea') || target.closest('dialog') !== null)
  )
}
