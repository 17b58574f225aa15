import { useEffect, useState } from 'preact/hooks'

/** `auto` is the theme of the system. */
export type Theme = 'auto' | 'light' | 'dark'
const order = ['auto', 'light', 'dark'] as const
const KEY = 'zeroshift-theme'

/** Sets the theme that the reader chose last. Called before anything is shown. */
export function applyStoredTheme(): Theme {
  const stored = read()
  apply(stored)
  return stored
}

/** Returns the theme and a function that sets the next one. */
export function useTheme(): readonly [Theme, () => void] {
  const [theme, setTheme] = useState(read)
  useEffect(() => {
    apply(theme)
    try {
      localStorage.setItem(KEY, theme)
    } catch {
      // Pages from disk may have no storage. The theme then lasts as long as the page.
    }
  }, [theme])
  return [
    theme,
    () => {
      setTheme(order[(order.indexOf(theme) + 1) % order.length] ?? 'auto')
    },
  ]
}

/** Calls a function when the colours of the page change. Returns a function that ends this. */
export function onThemeChange(changed: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)')
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  media.addEventListener('change', changed)
  return () => {
    observer.disconnect()
    media.removeEventListener('change', changed)
  }
}

function apply(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

function read(): Theme {
  try {
    const stored = localStorage.getItem(KEY)
    return order.find((name) => name === stored) ?? 'auto'
  } catch {
    return 'auto'
  }
}
