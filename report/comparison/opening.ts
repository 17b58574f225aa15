import { figureCell, prose, type Row, type Section } from '../blocks.ts'
import { counted, grouped } from '../../common/counted.ts'
import { duration, percent, signed, significant } from '../format.ts'
import { metricColumn } from '../sections/metrics.ts'
import type { Overview } from './overview.ts'
import { closestRows, settings, summaryOf } from './summary.ts'
import { entryText, groupText } from './words.ts'

/** The outcome in plain words, below a warning if runs are missing. */
export function outcomeSections(overview: Overview): readonly Section[] {
  const { runs, entries } = overview
  const { headline, details } = summaryOf(overview)
  const gone = runs.filter(({ missing }) => missing !== undefined).length
  const seconds = runs.reduce(
    (sum, { run: { outcome } }) => sum + ('seconds' in outcome ? outcome.seconds : 0),
    0,
  )
  const atFloor = entries.filter(({ above }) => above !== undefined && above <= 0).length
  const compared = entries.filter(({ gap }) => gap !== undefined).length
  const tile = (term: string, text: string, small: string) => ({ term, text: [text, { small }] })
  const missing: Section = {
    blocks: [
      {
        kind: 'banner',
        tone: 'warning',
        title: gone === 1 ? 'One run is missing.' : `${gone} runs are missing.`,
        text: [
          `The others stand without ${gone === 1 ? 'it' : 'them'}; `,
          { link: '#missing', text: 'why' },
          '.',
        ],
      },
    ],
  }
  const outcome: Section = {
    framed: true,
    blocks: [
      { kind: 'prose', style: 'headline', text: headline },
      {
        kind: 'terms',
        style: 'tiles',
        items: [
          tile('Runs that came through', grouped(runs.length - gone), ` of ${grouped(runs.length)}`),
          tile('Methods compared with gold', grouped(compared), ` of ${counted(entries.length, 'row')}`),
          tile('Average gap no greater than the floor', grouped(atFloor), atFloor === 1 ? ' row' : ' rows'),
          { term: 'Work, had runs shared no stage', text: duration(seconds) },
        ],
      },
      prose(details.join(' ')),
    ],
  }
  return [...(gone === 0 ? [] : [missing]), outcome]
}

/** The rows with the smallest average gaps to each gold. */
export function closestSection(overview: Overview): Section {
  const { groups, of } = closestRows(overview)
  const isNamed = overview.groups.length > 1
  const start = (name: string | undefined) => (isNamed ? [name ?? ''] : [])
  const rows = groups.flatMap(({ group, entries }): readonly Row[] => {
    const name = groupText(group)
    if (entries.length === 0)
      return [{ cells: [...start(name), 'none has a gap', '', '', '', '', ''], style: 'missing' }]
    return entries.map((entry, i) => ({
      cells: [
        ...start(name),
        entryText(entry, settings(overview)),
        figureCell(entry.row.metrics.averageGap, percent),
        figureCell(entry.outcome.floor, percent),
        entry.above === undefined ? 'n/a' : signed(entry.above),
        figureCell(entry.row.metrics.rte, significant),
        entry.run.link === undefined ? '–' : { text: 'open', link: entry.run.link },
      ],
      style: i === 0 ? 'best' : undefined,
    }))
  })
  const alike = 'Runs with the same gold stand together: only these can be compared by their gaps alone. '
  const cut = of === undefined ? '' : ` The first ${groups.length} of ${of} golds.`
  return {
    title: 'Smallest average gaps',
    blocks: [
      prose(`${isNamed ? alike : ''}The floor is the gap between two gold models of different seeds.${cut}`),
      {
        kind: 'table',
        name: 'Smallest average gaps',
        id: 'closest',
        columns: [
          ...(isNamed ? [{ label: 'Gold of' }] : []),
          { label: 'Row', text: true },
          metricColumn('averageGap'),
          { label: 'Floor', unit: 'points' },
          { label: 'Above the floor', unit: 'points' },
          metricColumn('rte'),
          { label: 'Report', text: true },
        ],
        rows,
      },
    ],
  }
}
