import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { unzipSync } from 'fflate'
import { chromium as launcher, type Browser, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { outcomesPath, reportPath, runPath } from '../../../artifacts/format/layout.ts'
import type { AttackCurve, Outcomes } from '../../../experiment/records/outcomes.ts'
import { metricColumns, type MetricName, type ResultRow } from '../../../experiment/records/results.ts'
import { freePort } from '../../../host/free-port.ts'
import { percent, significant } from '../../../report/format.ts'
import { chromium, why } from '../../support/browser.ts'
import { answerOf, smallConfig, type Running } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { sharedStack } from '../../support/shared-stack.ts'

/** Two seeds, whose models are trained long enough to pause one of them, and maps of features. */
const config = `${smallConfig.replace('name: small', 'name: live').replace('epochs: 2', 'epochs: 200')}
seeds: 2
maps: { samples: 12, neighbours: 5 }
`
/** Four cells, one after the other, without the maps of the runs, which take most of their time. */
const sweepConfig = `
name: steps
base: small.yaml
grid:
  methods[1].steps: [300, 400, 500, 600]
`
const WAIT = { timeout: 240_000 }

interface Report {
  readonly digest: string
  readonly computed: { readonly results: readonly ResultRow[] }
}

/** The parts of a table's cell in the browser that the tests look at. */
interface CellElement {
  readonly dataset: Readonly<Record<string, string>>
  readonly firstChild: { readonly textContent: string | null } | null
}

/** The parts of a row of the board that the tests look at. */
interface RowElement {
  readonly cells: readonly { readonly innerText: string }[]
  querySelector(selector: 'a'): { readonly title: string }
}

/** The tests follow a reader from the start of a run to its deletion. Each needs those before. */
describe.skipIf(chromium === undefined)(`zeroshift ui with runs that are under way${why}`, () => {
  // Of its own, since the page lists all runs of its server.
  const stack = sharedStack(() => ({}))
  const complaints: string[] = []
  let browser: Browser
  let page: Page
  let directory: string
  let address: string
  let served: Running
  let id: string
  let second: string

  beforeAll(async () => {
    directory = fileDirectory()
    writeFileSync(join(directory, 'live.yaml'), config)
    browser = await launcher.launch({
      ...(chromium !== undefined && { executablePath: chromium }),
      args: ['--no-sandbox'],
    })
    page = await opened()
    const port = String(await freePort())
    served = stack.zeroshift(directory, 'ui', '--control', '--port', port)
    const shown = new Promise<string>((resolve) => {
      served.child.stdout?.once('data', (data: Buffer) => {
        resolve(data.toString().split('\n')[0] ?? '')
      })
    })
    await served.says('Ctrl-C stops it')
    address = await shown
  })
  afterAll(async () => {
    await browser.close()
    served.child.kill('SIGINT')
    expect((await served.ended).code).toBe(0)
  })
  afterEach(() => {
    // A breach of the policy of the page is an error, too.
    expect(complaints).toEqual([])
  })

  async function opened(): Promise<Page> {
    const one = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    one.setDefaultTimeout(WAIT.timeout)
    one.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    one.on('pageerror', ({ message }) => complaints.push(message))
    return one
  }

  async function started(...overrides: readonly string[]): Promise<string> {
    const args = ['run', 'live.yaml', '--detach', '--json', ...overrides]
    const { code, stdout, stderr } = await stack.here(directory, ...args)
    expect(code, stderr).toBe(0)
    return answerOf(stdout).id
  }

  const stored = (path: string) => join(directory, '.zeroshift', 'store', path)
  const read = <T>(path: string) => JSON.parse(readFileSync(stored(path), 'utf8')) as T
  const report = (run: string) => read<Report>(reportPath(run))
  const line = (run: string) => page.locator('li.run', { has: page.getByRole('link', { name: run }) })
  const state = (of: Locator | Page) => of.locator('.status').first()
  const tab = (of: Page, name: string) =>
    of.getByRole('navigation', { name: 'Parts of the run' }).getByRole('link', { name, exact: true })

  test('a run that is started appears and makes progress', async () => {
    await page.goto(address)
    await page.getByText('The store has no runs yet.').waitFor()
    id = await started()
    await expect.poll(() => state(line(id)).innerText(), WAIT).toContain('running')
    await page.getByRole('link', { name: id }).click()
    const steps = page.locator('.running-stage small', { hasText: /step \d+ of \d+/ }).first()
    await steps.waitFor()
    const before = await steps.innerText()
    await expect.poll(() => steps.innerText(), WAIT).not.toBe(before)
  })

  test('its buttons pause and resume it', async () => {
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText(`${id} is paused,`).waitFor()
    await expect.poll(() => state(page).innerText(), WAIT).toContain('paused')
    await expect.poll(() => page.locator('.running-stage').count(), WAIT).toBe(0)
    expect(existsSync(stored(reportPath(id)))).toBe(false)
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText(`${id} goes on.`).waitFor()
    await expect.poll(() => state(page).innerText(), WAIT).toContain('running')
    await page.locator('.running-stage').first().waitFor()
  })

  test('it finishes, and the page shows the figures of its report to the last digit', async () => {
    await expect.poll(() => state(page).innerText(), WAIT).toContain('completed')
    await page.locator('main').getByText(report(id).digest.slice(0, 8)).first().waitFor()
    const wrong: string[] = []
    await comparedFigures(page, id, wrong)
    expect(wrong).toEqual([])
  })

  /** Compares each figure of a report with the cell of the page that shows it. */
  async function comparedFigures(of: Page, run: string, wrong: string[]): Promise<void> {
    const { results } = report(run).computed
    expect(results.length).toBeGreaterThan(1)
    const cells = new Map(
      await of
        .getByRole('region', { name: 'Results', exact: true })
        .locator('td[data-title]')
        .evaluateAll((found: readonly CellElement[]) =>
          found.map(({ dataset: { title = '', details = '' }, firstChild }) => {
            // A cell that shows all digits has no further ones in its details.
            const [, exact = firstChild?.textContent ?? ''] = /^exactly (.*)/.exec(details) ?? []
            return [title, exact] as const
          }),
        ),
    )
    let count = 0
    for (const { label, metrics } of results)
      for (const [name, figure] of Object.entries(metrics)) {
        const shown = cells.get(`${label}, ${metricColumns[name as MetricName].label}`)
        if (shown === undefined || !('value' in figure)) continue
        count += 1
        if (shown !== String(figure.value)) wrong.push(`${label}, ${name}: ${figure.value}, ${shown}`)
      }
    expect(count).toBeGreaterThanOrEqual(4 * results.length)
  }

  test('a second run, which is selected in the list, is compared with it', async () => {
    await page.getByRole('link', { name: 'Runs' }).click()
    second = await started('-S', 'methods[1].steps=40')
    await line(second).waitFor()
    await expect.poll(() => state(line(second)).innerText(), WAIT).toContain('completed')
    for (const run of [id, second])
      await page.getByRole('checkbox', { name: `Select ${run} for a comparison` }).check()
    await page.getByRole('link', { name: 'Compare 2 runs' }).click()
    await page.getByRole('heading', { name: 'All figures' }).waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'All results as CSV' }).click(),
    ])
    const csv = readFileSync(await download.path(), 'utf8')
    for (const run of [id, second]) {
      const row = report(run).computed.results.find(({ method }) => method === 'rfa')
      const gap = row?.metrics.averageGap
      expect(csv).toContain(gap && 'value' in gap ? String(gap.value) : 'a gap')
    }
  })

  test('a threshold that is dragged gives the counts of the curve', async () => {
    await page.getByRole('link', { name: id, exact: true }).first().click()
    await tab(page, 'Outcomes').click()
    const slider = page.getByRole('slider', { name: 'Threshold' })
    const chart = page.locator('.threshold figure svg').first()
    await chart.waitFor()
    const outcomes = read<Outcomes>(outcomesPath(id))
    const label = await page.locator('.threshold').locator('..').getByLabel('Model').inputValue()
    const curve = curveOf(outcomes, label)
    const box = (await slider.boundingBox()) ?? expect.fail('the slider has no place')
    const seen = new Set<string>()
    await page.mouse.move(box.x + 0.9 * box.width, box.y + box.height / 2)
    await page.mouse.down()
    for (const share of [0.8, 0.6, 0.35]) {
      const drawn = await chart.innerHTML()
      await page.mouse.move(box.x + share * box.width, box.y + box.height / 2, { steps: 3 })
      const at = Number(await slider.inputValue())
      const expected = textsAt(curve, at)
      await expect.poll(() => shownAt(page), WAIT).toEqual(expected)
      await expect.poll(() => chart.innerHTML(), WAIT).not.toBe(drawn)
      seen.add(JSON.stringify(expected))
    }
    await page.mouse.up()
    expect(seen.size).toBe(3)
  })

  test('a sample has a picture, and so have its neighbours', async () => {
    await tab(page, 'Samples').click()
    await lookAtSample(page)
  })

  async function lookAtSample(of: Page): Promise<void> {
    await of.locator('.sample').first().getByRole('button', { name: 'More' }).click()
    for (const set of ['retained', 'test'])
      await of.getByRole('heading', { name: `Nearest ${set} samples by pixels` }).waitFor()
    const pictures = of.locator('.sample').first().locator('img.picture')
    await expect.poll(() => pictures.count(), WAIT).toBeGreaterThan(2)
    await expect
      .poll(
        () =>
          pictures.evaluateAll((found: { naturalWidth: number }[]) =>
            found.every(({ naturalWidth }) => naturalWidth === 8),
          ),
        WAIT,
      )
      .toBe(true)
  }

  test('maps of the features are shown', async () => {
    await tab(page, 'Features').click()
    await page.locator('.map-pair canvas').first().waitFor()
  })

  test('the export of the page works from disk, without pictures', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export this run' }).click(),
    ])
    const folder = join(directory, 'unzipped')
    for (const [path, bytes] of Object.entries(unzipSync(readFileSync(await download.path())))) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes)
    }
    const one = await exported(join(folder, id))
    await tab(one, 'Samples').click()
    await one.locator('.sample').first().waitFor()
    expect(await one.locator('img.picture').count()).toBe(0)
    await one.close()
  })

  test('the export of the command works from disk, with pictures', async () => {
    const folder = join(directory, 'exported')
    const args = ['ui', 'export', id, '--out', folder, '--with-images']
    const { code, stderr } = await stack.here(directory, ...args)
    expect(code, stderr).toBe(0)
    const one = await exported(folder)
    await tab(one, 'Samples').click()
    await lookAtSample(one)
    await one.close()
  })

  /** Opens an export from disk and looks at its report, its outcomes and its maps. */
  async function exported(folder: string): Promise<Page> {
    const one = await opened()
    await one.goto(pathToFileURL(join(folder, 'index.html')).href)
    await one.getByRole('link', { name: id }).click()
    expect(await one.getByRole('navigation', { name: 'Views' }).getByRole('link').allInnerTexts()).toEqual([
      'Runs',
    ])
    const wrong: string[] = []
    await one.getByRole('heading', { name: 'Results' }).waitFor()
    await comparedFigures(one, id, wrong)
    expect(wrong).toEqual([])
    await tab(one, 'Outcomes').click()
    const slider = one.getByRole('slider', { name: 'Threshold' })
    await slider.focus()
    await one.keyboard.press('End')
    const curve = curveOf(
      read<Outcomes>(outcomesPath(id)),
      await one.locator('.threshold').locator('..').getByLabel('Model').inputValue(),
    )
    expect(await shownAt(one)).toEqual(textsAt(curve, curve.falsePositives.length - 1))
    await tab(one, 'Features').click()
    await one.locator('.map-pair canvas').first().waitFor()
    expect(await one.getByRole('button', { name: 'Delete …' }).count()).toBe(0)
    return one
  }

  test('a run is deleted by the dialog', async () => {
    await page.getByRole('link', { name: 'Runs' }).click()
    await page.getByRole('link', { name: second, exact: true }).click()
    await page.getByRole('button', { name: 'Delete …' }).click()
    await page.getByRole('dialog').getByText('This frees').waitFor()
    expect(existsSync(stored(runPath(second)))).toBe(true)
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText(`${second} is deleted`).waitFor()
    await page.getByText('1 run', { exact: true }).waitFor()
    expect(await line(id).count()).toBe(1)
    expect(existsSync(stored(runPath(second)))).toBe(false)
    expect(existsSync(stored(runPath(id)))).toBe(true)
  })

  test('a sweep that is started appears, and its cells get the figures of their reports', async () => {
    writeFileSync(join(directory, 'small.yaml'), smallConfig)
    writeFileSync(join(directory, 'steps.yaml'), sweepConfig)
    const args = ['sweep', 'steps.yaml', '--max-parallel', '1', '--detach', '--json']
    const { code, stdout, stderr } = await stack.here(directory, ...args)
    expect(code, stderr).toBe(0)
    const sweep = answerOf(stdout).id
    await page.getByRole('link', { name: 'Sweeps' }).click()
    await page.getByRole('link', { name: sweep, exact: true }).click()
    await expect.poll(() => state(page).innerText(), WAIT).toContain('completed')
    await page.getByText('4 of 4 cells done').waitFor()
    const rows = page.locator('.board-row')
    await expect
      .poll(
        () =>
          rows.evaluateAll((found: readonly RowElement[]) => found.map(({ cells }) => cells[3]?.innerText)),
        WAIT,
      )
      .not.toContain('–')
    const shown = await rows.evaluateAll((found: readonly RowElement[]) =>
      found.map((row) => [row.querySelector('a').title, row.cells[1]?.innerText, row.cells[3]?.innerText]),
    )
    expect(shown.map(([, steps]) => steps)).toEqual(['300', '400', '500', '600'])
    for (const [run = '', , text] of shown) {
      const row = report(run).computed.results.find(({ method }) => method === 'rfa')
      const gap = row?.metrics.averageGap
      expect(text?.split(' ')[0]).toBe(gap && 'value' in gap ? percent(gap.value) : 'a gap')
    }
  })
})

/** The curve that the page shows first: that of the losses, of the first seed. */
function curveOf({ models }: Outcomes, label: string): AttackCurve {
  const model = models.find((one) => one.label === label && one.seed === 0)
  const curve = model?.attacks.find(({ attack }) => attack === 'loss')
  return curve && !('missing' in curve) ? curve : expect.fail(`there is no curve of ${label}`)
}

/** The threshold, the rates and the counts that belong to a point of a curve, as text. */
function textsAt(curve: AttackCurve, at: number): readonly string[] {
  const { members, nonMembers, thresholds } = curve
  const falses = curve.falsePositives[at] ?? NaN
  const trues = curve.truePositives[at] ?? NaN
  const threshold = thresholds[at] ?? null
  return [
    threshold === null ? 'above all scores' : significant(threshold),
    `${percent((100 * trues) / members)} %`,
    `${percent((100 * falses) / nonMembers)} %`,
    significant(curve.auc),
    ...[trues, members - trues, falses, nonMembers - falses].map(String),
  ]
}

/** The same texts on the page. */
function shownAt(page: Page): Promise<readonly string[]> {
  return page.locator('.threshold').locator('output, dd, td').allInnerTexts()
}
