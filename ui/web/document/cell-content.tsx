import { fullCell, type Cell, type Footnotes } from '../../../report/blocks.ts'
import { Notation, PlaceLink } from './text.tsx'

/** The content of a cell, with a reference to its footnote. */
export function CellContent({
  cell,
  tableId,
  footnotes,
}: {
  readonly cell: Cell
  readonly tableId: string
  readonly footnotes: Footnotes
}) {
  const { text, interval, mark, beside, small, note, link, digest } = fullCell(cell)
  const number = note === undefined ? undefined : footnotes.numberOf(note)
  const reference = number !== undefined && (
    <PlaceLink link={`#${tableId}-${number}`} label={`footnote ${number}`}>
      <sup>{number}</sup>
    </PlaceLink>
  )
  const shown =
    digest !== undefined ? (
      <code>{text}</code>
    ) : link !== undefined ? (
      <PlaceLink link={link}>{text}</PlaceLink>
    ) : (
      <Notation text={text} />
    )
  return (
    <>
      {reference && text === 'n/a' ? (
        <span class="missing">
          n/a
          {reference}
        </span>
      ) : (
        shown
      )}
      {mark !== undefined && ` ${mark}`}
      {reference && text !== 'n/a' && <span class="missing">{reference}</span>}
      {interval !== undefined && <small class="interval">{interval}</small>}
      {beside !== undefined && <small>{beside}</small>}
      {small !== undefined && <small>{small}</small>}
    </>
  )
}
