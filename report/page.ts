import { stringify } from 'yaml'
import type { ResultRow } from '../experiment/records/results.ts'
import { commandOf } from './command.ts'
import { htmlDocument } from './document.ts'
import { html } from './markup.ts'
import type { Judgement } from './judgement/judge.ts'
import type { ReportInput } from './results.ts'
import { attackSection } from './sections/attacks.ts'
import { chartSections } from './sections/charts.ts'
import { judgementSection } from './sections/judgement.ts'
import { openingSection } from './sections/opening.ts'
import { membershipSection } from './sections/membership.ts'
import { populationSection } from './sections/population.ts'
import { probeSection } from './sections/probe.ts'
import { relearnSection } from './sections/relearn.ts'
import { resultsSection } from './sections/results.ts'
import { settingSection } from './sections/setting.ts'
import { stagesSection } from './sections/stages.ts'

/** The report as one HTML page that loads nothing and needs no script. */
export async function renderPage(
  input: ReportInput,
  rows: readonly ResultRow[],
  judgement: Judgement,
  digest: string,
): Promise<string> {
  const { run } = input
  return htmlDocument(
    `${run.spec.name} · Zeroshift report`,
    html`${openingSection(input, rows, judgement)} ${judgementSection(input, judgement)}
      ${resultsSection(input, rows)} ${attackSection(input)} ${membershipSection(input)}
      ${populationSection(input)} ${relearnSection(input)} ${probeSection(input)}
      ${await chartSections(input, rows)} ${settingSection(input)} ${stagesSection(input)}
      <section>
        <h2>Reproduce</h2>
        <pre><code>${commandOf(run)}</code></pre>
        <p>
          On the same device and number of threads, the run gives the same bytes and this SHA-256 of what was
          computed:
        </p>
        <pre><code>${digest}</code></pre>
        <details>
          <summary>The whole specification, defaults filled in</summary>
          <pre><code>${stringify(run.spec, { sortMapEntries: true, lineWidth: 0 })}</code></pre>
        </details>
      </section>
      <footer>
        Run ${run.id}. Seconds, devices and versions are the clock's part: they are in
        <code>report.json</code> beside what was computed, and not in the digest.
      </footer>`,
  )
}
