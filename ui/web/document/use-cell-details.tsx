import { useEffect, useId, useLayoutEffect, useReducer, useState } from 'preact/hooks'

/** The attributes of a cell that has details, which are lines of text. */
export function detailsOf(title: string, lines: readonly string[]) {
  return lines.length === 0 ? {} : { 'data-title': title, 'data-details': lines.join('\n'), tabIndex: -1 }
}

const CELL = '[data-details]'

/**
 * Shows the details of the cell at which the reader points, or which has the focus. The Tab key
 * reaches one cell of a table, and the arrow keys the others.
 */
export function useCellDetails(table: { readonly current: HTMLTableElement | null }) {
  const [cell, setCell] = useState<HTMLElement>()
  const [, placeAgain] = useReducer((times: number) => times + 1, 0)
  const id = useId()
  useLayoutEffect(() => {
    if (table.current?.querySelector(`${CELL}[tabindex="0"]`)) return
    table.current?.querySelector(CELL)?.setAttribute('tabindex', '0')
  })
  useEffect(() => {
    if (!cell) return undefined
    cell.setAttribute('aria-describedby', id)
    const hide = () => {
      setCell(undefined)
    }
    const pressed = ({ key }: KeyboardEvent) => {
      if (key === 'Escape') hide()
    }
    // The focus itself scrolls to a cell, whose details stay and follow it. It can have moved to
    // another cell since this effect ran, so the cell that has it now is the one that counts.
    const scrolled = () => {
      const focused = cellOf(document.activeElement)
      setCell(focused && table.current?.contains(focused) ? focused : undefined)
      placeAgain(undefined)
    }
    addEventListener('scroll', scrolled, true)
    document.addEventListener('keydown', pressed)
    return () => {
      cell.removeAttribute('aria-describedby')
      removeEventListener('scroll', scrolled, true)
      document.removeEventListener('keydown', pressed)
    }
  }, [cell, id, table])
  const point = ({ target }: Event) => {
    setCell(cellOf(target))
  }
  return {
    handlers: {
      onMouseOver: point,
      onMouseLeave: () => {
        setCell(undefined)
      },
      onFocusIn: point,
      onFocusOut: () => {
        setCell(undefined)
      },
      onKeyDown: move,
    },
    tip: cell && <Tip id={id} cell={cell} />,
  }
}

function Tip({ id, cell }: { readonly id: string; readonly cell: HTMLElement }) {
  const { left, right, top, bottom } = cell.getBoundingClientRect()
  const isAbove = bottom > innerHeight - 160
  const x = Math.min(Math.max(170, (left + right) / 2), document.documentElement.clientWidth - 170)
  return (
    <div
      class={`tip${isAbove ? ' above' : ''}`}
      role="tooltip"
      id={id}
      style={{ left: `${x}px`, top: `${isAbove ? top - 6 : bottom + 6}px` }}
    >
      <strong>{cell.dataset.title}</strong>
      {cell.dataset.details?.split('\n').map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  )
}

function cellOf(target: EventTarget | null): HTMLElement | undefined {
  return target instanceof Element ? (target.closest<HTMLElement>(CELL) ?? undefined) : undefined
}

const steps: Readonly<Record<string, readonly [row: number, column: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
}

/** Moves the focus to the next cell with details in the direction of the key. */
function move(event: KeyboardEvent): void {
  const step = steps[event.key]
  const from = cellOf(event.target)
  if (!step || !from || event.target !== from) return
  const rows = [...(from.closest('table')?.rows ?? [])]
  let row = rows.findIndex((one) => one.contains(from))
  let column = [...(rows[row]?.cells ?? [])].findIndex((one) => one === from)
  event.preventDefault()
  for (;;) {
    row += step[0]
    column += step[1]
    const cells = rows[row]?.cells
    if (!cells || (step[0] === 0 && !cells[column])) return
    const next = cells[column]
    if (!next?.matches(CELL)) continue
    from.tabIndex = -1
    next.tabIndex = 0
    next.focus()
    return
  }
}
