import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'

/** A button that opens a small panel below itself. Escape and clicks elsewhere close the panel. */
export function Popover({
  label,
  title,
  children,
}: {
  readonly label: ComponentChildren
  /** The accessible name, if the label is not enough. */
  readonly title?: string
  readonly children: ComponentChildren | ((close: () => void) => ComponentChildren)
}) {
  const [isOpen, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  useEffect(() => {
    if (!isOpen) return undefined
    const clicked = ({ target }: Event) => {
      if (target instanceof Node && !box.current?.contains(target)) setOpen(false)
    }
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      event.stopPropagation()
      setOpen(false)
      button.current?.focus()
    }
    document.addEventListener('pointerdown', clicked)
    document.addEventListener('keydown', pressed)
    return () => {
      document.removeEventListener('pointerdown', clicked)
      document.removeEventListener('keydown', pressed)
    }
  }, [isOpen])
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  return (
    <div class="popover" ref={box}>
      <button
        type="button"
        class="small"
        ref={button}
        aria-expanded={isOpen}
        aria-controls={id}
        aria-label={title}
        onClick={() => {
          setOpen(!isOpen)
        }}
      >
        {label} <span aria-hidden="true">▾</span>
      </button>
      {isOpen && (
        <div class="panel" id={id}>
          {typeof children === 'function' ? children(close) : children}
        </div>
      )}
    </div>
  )
}
