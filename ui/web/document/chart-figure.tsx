import { useEffect, useRef, useState } from 'preact/hooks'
import type { Chart } from '../../../report/blocks.ts'
import type { DrawnChart } from '../charts/main.ts'
import { ChartMenu } from '../controls/chart-menu.tsx'
import { loadScript } from '../source/browser.ts'

/** A chart with its title and notes. It is drawn when it is near the visible part of the page. */
export function ChartFigure({ chart, isWide }: { readonly chart: Chart; readonly isWide?: boolean }) {
  const { title, small, numbered, note } = chart
  return (
    <figure class={isWide ? 'wide' : undefined}>
      {title !== undefined && (
        <figcaption>
          {title} {small !== undefined && <small>{small}</small>}
        </figcaption>
      )}
      <ChartView chart={chart} />
      {numbered && (
        <ol class="named">
          {numbered.map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ol>
      )}
      {note !== undefined && <p class="note">{note}</p>}
    </figure>
  )
}

function ChartView({ chart: { title, spec, description } }: { readonly chart: Chart }) {
  const box = useRef<HTMLDivElement>(null)
  const isNear = useNear(box)
  const [failure, setFailure] = useState<string>()
  const shown = useRef<DrawnChart | undefined>(undefined)
  // A document that was loaded again has equal specifications that are other objects.
  const text = JSON.stringify(spec)
  useEffect(() => {
    if (!isNear) return undefined
    let drawn: DrawnChart | undefined
    let isGone = false
    const draw = async () => {
      await loadScript('charts.js')
      if (isGone || !box.current || !globalThis.zeroshiftCharts) return
      drawn?.remove()
      drawn = await globalThis.zeroshiftCharts.draw(box.current, spec)
      if (isGone) drawn.remove()
      else shown.current = drawn
    }
    const start = () => {
      draw().then(
        () => {
          setFailure(undefined)
        },
        (error: unknown) => {
          setFailure(error instanceof Error ? error.message : String(error))
        },
      )
    }
    start()
    return () => {
      isGone = true
      shown.current = undefined
      drawn?.remove()
    }
    // `text` stands for `spec`.
  }, [isNear, text])
  const exported = () => {
    if (!shown.current) throw new Error('it is not drawn yet')
    return shown.current
  }
  return (
    <>
      <ChartMenu name={title ?? description} svg={() => exported().svg()} png={() => exported().canvas()} />
      <div class="chart-box" ref={box} role="img" aria-label={description} />
      {failure !== undefined && <p class="note missing">The chart cannot be drawn: {failure}</p>}
    </>
  )
}

/** Returns whether an element has been near the visible part of the page. */
function useNear(box: { readonly current: Element | null }): boolean {
  const [isNear, setNear] = useState(false)
  useEffect(() => {
    if (!box.current) return undefined
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return
        observer.disconnect()
        setNear(true)
      },
      { rootMargin: '400px' },
    )
    observer.observe(box.current)
    return () => {
      observer.disconnect()
    }
  }, [box])
  return isNear
}
