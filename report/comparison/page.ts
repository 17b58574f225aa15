import { htmlDocument } from '../document.ts'
import { html } from '../markup.ts'
import { costSection } from './cost.ts'
import { figuresSection } from './figures.ts'
import { heatSection } from './heat.ts'
import { openingSection } from './opening.ts'
import { overSection } from './over.ts'
import type { Overview } from './overview.ts'
import { parallelSection } from './parallel.ts'
import { differencesSection, missingSection, reproduceSection } from './runs.ts'
import { stoppingSection } from './stopping.ts'
import { titleOf } from './title.ts'

/** The comparison as one HTML page that loads nothing and needs no script. */
export async function renderPage(overview: Overview, digest: string): Promise<string> {
  const { renderChart } = await import('../svg.ts')
  return htmlDocument(
    `${titleOf(overview.comparison)} · Zeroshift comparison`,
    html`${openingSection(overview)} ${await overSection(overview, renderChart)}
      ${await costSection(overview, renderChart)} ${await heatSection(overview, renderChart)}
      ${await parallelSection(overview, renderChart)} ${stoppingSection(overview)} ${figuresSection(overview)}
      ${missingSection(overview)} ${differencesSection(overview)} ${reproduceSection(overview, digest)}
      <footer>
        Seconds and RTE are the clock's part: they are in <code>report.json</code> beside what was computed,
        and not in the digest. <code>results.csv</code> has every figure with all of its digits,
        <code>results.tex</code> the table for a paper.
      </footer>`,
  )
}
