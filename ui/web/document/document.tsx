import type { Block, Document, Section, Term } from '../../../report/blocks.ts'
import { ChartFigure } from './chart-figure.tsx'
import { DataTable } from './data-table.tsx'
import { Notation, TextOf } from './text.tsx'

/** A report as report/render/html.ts writes it, with interactive tables and charts. */
export function DocumentView({ document }: { readonly document: Document }) {
  return (
    <article class="document">
      <p class="lead">
        <Notation text={document.lead} />
      </p>
      {document.sections.map((section, i) => (
        <SectionView key={section.id ?? section.title ?? i} section={section} />
      ))}
      <footer>
        <TextOf text={document.footer} />
      </footer>
    </article>
  )
}

export function SectionView({ section: { title, id, framed, blocks } }: { readonly section: Section }) {
  const content = <Blocks blocks={blocks} />
  if (title === undefined && !framed) return content
  return (
    <section id={id} class={framed ? 'framed' : undefined}>
      {title !== undefined && (
        <h2>
          <Notation text={title} />
        </h2>
      )}
      {content}
    </section>
  )
}

export function Blocks({ blocks }: { readonly blocks: readonly Block[] }) {
  return (
    <>
      {blocks.map((block, i) => (
        <BlockView key={block.kind === 'table' ? block.id : i} block={block} />
      ))}
    </>
  )
}

function BlockView({ block }: { readonly block: Block }) {
  switch (block.kind) {
    case 'heading':
      return (
        <h3>
          <Notation text={block.text} />
        </h3>
      )
    case 'prose':
      return (
        <p class={block.style}>
          <TextOf text={block.text} />
        </p>
      )
    case 'list':
      return (
        <ul class={block.style ?? 'findings'}>
          {block.items.map((item, i) => (
            <li key={i}>
              <TextOf text={item} />
            </li>
          ))}
        </ul>
      )
    case 'terms':
      return (
        <dl class={block.style}>
          {block.items.map((item, i) => (
            <TermView key={i} item={item} />
          ))}
        </dl>
      )
    case 'code':
      return (
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      )
    case 'details':
      return (
        <details>
          <summary>{block.summary}</summary>
          <Blocks blocks={block.blocks} />
        </details>
      )
    case 'banner':
      return (
        <div class={`banner ${block.tone}`} role={block.tone === 'alert' ? 'alert' : 'note'}>
          <p>
            <strong>{block.title}</strong> <TextOf text={block.text} />
          </p>
          {block.items && block.items.length > 0 && (
            <ul>
              {block.items.map((item, i) => (
                <li key={i}>{item}</li>
              ))}
            </ul>
          )}
        </div>
      )
    case 'table':
      return <DataTable table={block} />
    case 'charts': {
      const figures = block.charts.map((chart, i) => (
        <ChartFigure key={chart.title ?? i} chart={chart} isWide={block.size === 'wide'} />
      ))
      return block.size === 'wide' || block.size === 'full' ? (
        <>{figures}</>
      ) : (
        <div class={`panels ${block.size}`}>{figures}</div>
      )
    }
  }
}

function TermView({ item: { term, unit, text, notes = [] } }: { readonly item: Term }) {
  return (
    <div>
      <dt>
        <TextOf text={term} />
      </dt>
      <dd>
        <TextOf text={text} />
        {unit !== undefined && unit !== '' && ` (${unit})`}
        {notes.map((one, i) => (
          <p key={i} class="note">
            <TextOf text={one} />
          </p>
        ))}
      </dd>
    </div>
  )
}
