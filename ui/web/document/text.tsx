import { Fragment } from 'preact'
import type { Inline, Text } from '../../../report/blocks.ts'

/** Text of a report. D_r, D_f and D_t are set as symbols. */
export function TextOf({ text }: { readonly text: Text }) {
  return typeof text === 'string' ? (
    <Notation text={text} />
  ) : (
    <>
      {text.map((part, i) => (
        <InlineOf key={i} part={part} />
      ))}
    </>
  )
}

function InlineOf({ part }: { readonly part: Inline }) {
  if (typeof part === 'string') return <Notation text={part} />
  if ('code' in part) return <code>{part.code}</code>
  if ('strong' in part) return <strong>{part.strong}</strong>
  if ('small' in part) return <small>{part.small}</small>
  if ('link' in part) return <PlaceLink link={part.link}>{part.text}</PlaceLink>
  return <Swatch name={part.swatch} />
}

/** A key of a chart: a line, or a square in one of the colours of the style sheet. */
export function Swatch({ name }: { readonly name: string }) {
  return name === 'line' || name === 'dashed' ? (
    <span class={`swatch ${name}`} />
  ) : (
    <span class="swatch" style={{ background: `var(--${name})` }} />
  )
}

/** Sets the subscripts of D_r, D_f and D_t. */
export function Notation({ text }: { readonly text: string }) {
  const parts = text.split(/\b(D_[rft])\b/)
  if (parts.length === 1) return <>{text}</>
  return (
    <>
      {parts.map((part, i) =>
        /^D_[rft]$/.test(part) ? (
          <Fragment key={i}>
            <var>D</var>
            <sub>{part.slice(2)}</sub>
          </Fragment>
        ) : (
          part
        ),
      )}
    </>
  )
}

/**
 * A link of a report. A link within the document scrolls, because the part of the address behind
 * `#` is the place in the page.
 */
export function PlaceLink({
  link,
  label,
  children,
}: {
  readonly link: string
  readonly label?: string
  readonly children: preact.ComponentChildren
}) {
  const isPlace = /^#(?!\/)/.test(link)
  return (
    <a
      href={link}
      aria-label={label}
      onClick={
        isPlace
          ? (event: MouseEvent) => {
              event.preventDefault()
              const place = document.getElementById(link.slice(1))
              place?.setAttribute('tabindex', '-1')
              place?.focus()
              place?.scrollIntoView({ block: 'center' })
            }
          : undefined
      }
    >
      {children}
    </a>
  )
}
