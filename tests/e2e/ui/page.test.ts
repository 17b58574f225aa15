import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium as launcher, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { builtPage } from '../../../infra/page.mjs'
import { answerScript, answerScriptPath, paths, type RunEntry } from '../../../ui/contract.ts'
import { chromium, why } from '../../support/browser.ts'
import { fileDirectory } from '../../support/directories.ts'
import {
  runEntry,
  runProgress,
  runView,
  sampleStore,
  sampleSweepReport,
  sweepView,
} from '../../support/page-fixture.ts'
import { pageServer, type PageServer } from '../../support/page-server.ts'
import { measured } from '../../unit/report/curves-fixture.ts'
import { sampleInput } from '../../unit/report/fixtures.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TOKEN = 'the token of the session'

const input = sampleInput()
const done = runView(input, { tags: ['paper'], note: 'The run of table 2.' })
const { id } = done.entry
const curves = runView(sampleInput(measured), { id: 'digits-class-curves' })
const liveId = 'digits-class-live'
const live: RunEntry = {
  ...runEntry(input, { id: liveId, state: 'running', secondsLeft: 754, dataset: 'cifar10' }),
  stages: { all: 28, done: 12, running: 1, failed: 0 },
}
const failed = runEntry(input, {
  ...{ id: 'digits-class-failed', state: 'incomplete' },
  failures: [{ title: 'unlearn scrub', reason: 'The loss is not finite. Lower learningRate.' }],
})
const sweep = sweepView(240)
const answers = {
  [paths.session()]: { version: '0.1.0', store: '.zeroshift/store', token: TOKEN },
  [paths.runs()]: { runs: [live, done.entry, failed] },
  [paths.run(id)]: done,
  [paths.run(curves.entry.id)]: curves,
  [paths.run(liveId)]: {
    ...done,
    entry: live,
    progress: { ...runProgress(input, 12, Date.now()), id: liveId },
  },
  [paths.store()]: sampleStore,
  [paths.sweeps()]: { sweeps: [sweep.entry] },
  [paths.sweep(sweep.entry.id)]: sweep,
  [paths.sweepReport(sweep.entry.id)]: sampleSweepReport,
  [paths.sweep('large')]: { ...sweepView(5000), entry: { ...sweep.entry, id: 'large' } },
  [paths.comparison([id, liveId])]: { runs: [id, liveId], document: done.document, tables: done.tables },
}

const views = {
  runs: '#/runs',
  run: `#/runs/${id}`,
  'a run that is under way': `#/runs/${liveId}`,
  'the config of a run': `#/runs/${id}/config`,
  comparison: `#/compare?runs=${id},${liveId}`,
  sweeps: '#/sweeps',
  sweep: `#/sweeps/${sweep.entry.id}`,
  'the report of a sweep': `#/sweeps/${sweep.entry.id}/report`,
  store: '#/store',
  nothing: '#/elsewhere',
}

describe.skipIf(chromium === undefined)(`the page of zeroshift ui${why}`, () => {
  let browser: Browser
  let server: PageServer
  let page: Page
  const complaints: string[] = []
  let folder: string
  beforeAll(async () => {
    folder = await builtPage()
    browser = await launcher.launch({
      ...(chromium !== undefined && { executablePath: chromium }),
      args: ['--no-sandbox'],
    })
  })
  afterAll(async () => {
    await browser.close()
  })
  beforeEach(async () => {
    complaints.length = 0
    server = await pageServer(folder, answers)
    page = await opened({ width: 1280, height: 900 }, 'light')
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    await server.close()
    // The policy of the server forbids inline scripts and styles, and `eval`: a breach is an error.
    expect(complaints).toEqual([])
  })

  async function opened(viewport: { width: number; height: number }, colorScheme: 'light' | 'dark') {
    const context = await browser.newContext({ viewport, colorScheme })
    const one = await context.newPage()
    one.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    one.on('pageerror', ({ message }) => complaints.push(message))
    return one
  }

  async function show(place: string, on = page) {
    await on.goto(`${server.url}${place}`)
    await on.locator('h1').waitFor()
  }

  /** The violations of accessibility rules on a page, with the elements. */
  async function violations(on: Page): Promise<readonly string[]> {
    await on.evaluate(axe)
    return on.evaluate(
      `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`,
    )
  }

  describe.each(Object.entries(views))('the view %s', (_, place) => {
    test('is accessible in light and dark colours, and fits on a phone', async () => {
      const onPhone = await opened({ width: 390, height: 900 }, 'dark')
      for (const [one, width, scheme] of [
        [page, 1280, 'light'],
        [onPhone, 390, 'dark'],
      ] as const) {
        await show(place, one)
        await one.waitForLoadState('networkidle').catch(() => undefined)
        expect(await violations(one), `${width} ${scheme}`).toEqual([])
        expect(
          await one.evaluate<number>(
            'document.documentElement.scrollWidth - document.documentElement.clientWidth',
          ),
          `${width} ${scheme}`,
        ).toBeLessThanOrEqual(0)
      }
    })
  })

  describe('the list of runs', () => {
    test('shows the failure of a run, and filters by the address', async () => {
      await show('#/runs?status=incomplete')
      await page.getByText('Lower learningRate').waitFor()
      expect(await page.locator('li.run').count()).toBe(1)
      await page.getByRole('button', { name: 'Clear filters' }).click()
      await page.getByText('3 runs').waitFor()
    })
    test('is searched with the key /', async () => {
      await show('#/runs')
      await page.locator('li.run').first().waitFor()
      await page.keyboard.press('/')
      await page.keyboard.type('cifar10')
      await page.getByText('1 of 3 runs').waitFor()
      expect(page.url()).toContain('text=cifar10')
      await page.reload()
      await page.getByText('1 of 3 runs').waitFor()
    })
    test('leads to the comparison of two chosen runs', async () => {
      await show('#/runs')
      for (const name of [liveId, id])
        await page.getByRole('checkbox', { name: `Select ${name} for a comparison` }).check()
      await page.getByRole('link', { name: 'Compare 2 runs' }).click()
      await page.getByRole('heading', { name: 'Results' }).waitFor()
    })
    test('changes by events, of which one may hold the changed runs alone', async () => {
      await show('#/runs')
      await expect.poll(() => server.listeners()).toBe(1)
      const state = { ...live, state: 'paused', stages: { all: 28, done: 13, running: 0, failed: 0 } }
      server.send('runs', { partial: true, runs: [state] })
      await page.getByText('13 of 28 stages').waitFor()
      expect(await page.locator('li.run').count()).toBe(3)
      server.send('runs', { runs: [done.entry] })
      await page.getByText('1 run', { exact: true }).waitFor()
    })
    test('shows few of thousands of runs at once', async () => {
      const many = Array.from({ length: 5000 }, (_, i) => ({ ...done.entry, id: `run-${i}` }))
      server.answers.set(paths.runs(), { runs: many })
      await show('#/runs')
      await page.getByText('5,000 runs').waitFor()
      expect(await page.locator('li.run').count()).toBeLessThan(60)
      await page.evaluate('scrollTo(0, document.body.scrollHeight)')
      await page.getByRole('link', { name: 'run-4999' }).waitFor()
    })
  })

  describe('controls', () => {
    test('send the token of the session', async () => {
      server.answers.set(paths.control(liveId, 'pause'), { message: 'The run is paused.' })
      await show('#/runs')
      await page.getByRole('button', { name: 'Pause' }).click()
      await page.getByText('The run is paused.').waitFor()
      expect(server.posts).toEqual([{ path: paths.control(liveId, 'pause'), token: TOKEN, body: {} }])
    })
    test('delete after the reader has seen what is freed', async () => {
      server.answers.set(paths.control(id, 'delete'), { message: 'Its 12 stages.', bytes: 1_230_000 })
      await show(`#/runs/${id}`)
      await page.getByRole('button', { name: 'Delete …' }).click()
      await page.getByText('1.23 MB').waitFor()
      expect(server.posts.map(({ body }) => body)).toEqual([{ confirmed: false }])
      await page.getByRole('button', { name: 'Delete', exact: true }).click()
      await expect.poll(() => server.posts.at(-1)?.body).toEqual({ confirmed: true })
      await page.getByRole('heading', { name: 'Runs' }).waitFor()
    })
    test('say why the server refused', async () => {
      await show('#/runs')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByText('Give the test one.').waitFor()
      // The browser reports the answer of a failed request.
      complaints.length = 0
    })
    test('are not there if the server only reads', async () => {
      server.answers.set(paths.session(), { version: '0.1.0' })
      await show('#/runs')
      await page.locator('li.run').first().waitFor()
      expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0)
    })
  })

  describe('a run', () => {
    test('shows the progress of events, and loads the report again when a stage has ended', async () => {
      await show(`#/runs/${liveId}`)
      await page.getByText('step 40 of 120').waitFor()
      await expect.poll(() => server.listeners()).toBe(1)
      const next = { ...runProgress(input, 13, Date.now()), id: liveId }
      const stages = next.stages.map((stage) => (stage.step === 40 ? { ...stage, step: 77 } : stage))
      const document = { ...done.document, lead: 'A newer report.' }
      server.answers.set(paths.run(liveId), { ...done, entry: live, progress: next, document })
      server.send('run', { ...next, stages })
      await page.getByText('step 77 of 120').waitFor()
      await page.getByText('A newer report.').waitFor()
    })
    test('has tables whose order and columns are in the address', async () => {
      await show(`#/runs/${id}`)
      const table = page.getByRole('region', { name: 'Results', exact: true })
      await table.getByRole('button', { name: /^RA/ }).click()
      await table.getByRole('button', { name: /^RA/ }).click()
      expect(await table.locator('th[aria-sort="descending"]').count()).toBe(1)
      await page.getByRole('button', { name: 'View: rows and columns of Results' }).click()
      await page.getByRole('checkbox', { name: 'ToW' }).uncheck()
      await page.getByRole('button', { name: 'Pin rfa mean' }).click()
      await page.reload()
      await table.waitFor()
      expect(await table.getByRole('columnheader', { name: /^ToW/ }).count()).toBe(0)
      expect(await table.locator('tbody').first().locator('th').first().textContent()).toContain('rfa mean')
    })
    test('shows the figure of the report to its last digit at a cell', async () => {
      await show(`#/runs/${id}`)
      const table = page.getByRole('region', { name: 'Results', exact: true })
      await table.locator('td[data-details]').first().focus()
      await page.keyboard.press('ArrowDown')
      const details = await page.getByRole('tooltip').textContent()
      const row = done.rows[0]?.metrics.ra
      expect(details).toContain(row && 'value' in row ? String(row.value) : 'a value')
      await page.keyboard.press('Escape')
      await expect.poll(() => page.getByRole('tooltip').count()).toBe(0)
    })
    test('draws charts when they are near, and exports them with the colours of the theme', async () => {
      await show(`#/runs/${id}`)
      expect(await page.locator('script[src="charts.js"]').count()).toBe(0)
      const figure = page.locator('figure').first()
      await figure.scrollIntoViewIfNeeded()
      await figure.locator('svg').waitFor()
      await figure.locator('svg .mark-symbol path').last().hover()
      await page.locator('body > .tip:not([hidden])').waitFor()
      await figure.hover()
      for (const kind of ['SVG', 'PNG']) {
        await figure.getByRole('button', { name: /^Export the chart/ }).click()
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          figure.getByRole('button', { name: kind }).click(),
        ])
        const bytes = readFileSync(await download.path())
        expect(download.suggestedFilename()).toMatch(kind === 'SVG' ? /\.svg$/ : /\.png$/)
        if (kind === 'SVG') expect(bytes.toString()).not.toContain('var(')
        else expect(bytes.subarray(1, 4).toString()).toBe('PNG')
      }
    })
    test('draws accuracy by epoch and residual norms, with their values at a mark', async () => {
      await show(`#/runs/${curves.entry.id}`)
      const chart = (words: RegExp) => page.locator('figure').filter({ has: page.getByLabel(words) })
      const shown = page.locator('body > .tip:not([hidden])')
      const norms = chart(/^rfa: after step 20, the norms/)
      await norms.scrollIntoViewIfNeeded()
      await norms.getByText('1.50', { exact: true }).last().hover()
      await expect.poll(() => shown.textContent()).toMatch(/layer: head.*step: 20.*norm: 1\.5/)
      const accuracy = chart(/^Accuracy over epochs/)
      await accuracy.scrollIntoViewIfNeeded()
      await accuracy.locator('svg .mark-symbol.role-mark path').last().hover()
      await expect.poll(() => shown.textContent()).toContain('accuracy, %: 90.75')
      expect(await accuracy.locator('svg .mark-line.role-mark path').count()).toBe(6)
    })
    test('exports a table as CSV with exact figures', async () => {
      await show(`#/runs/${id}`)
      await page.getByRole('button', { name: 'Export Results', exact: true }).click()
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'CSV', exact: true }).click(),
      ])
      expect(readFileSync(await download.path(), 'utf8')).toMatch(/^Model,RA \(%\)/)
    })
  })

  describe('a sweep', () => {
    test('selects cells by a range on an axis, which the address keeps', async () => {
      await show(`#/sweeps/${sweep.entry.id}`)
      const canvas = page.locator('.drawing canvas').first()
      await canvas.scrollIntoViewIfNeeded()
      const box = await canvas.boundingBox()
      if (!box) return expect.unreachable('the canvas is not shown')
      await page.getByText('240 results', { exact: true }).waitFor()
      await page.mouse.move(box.x + 90, box.y + 60)
      await page.mouse.down()
      await page.mouse.move(box.x + 90, box.y + 150, { steps: 4 })
      await page.mouse.up()
      await page.getByText(/\d+ of 240 results/).waitFor()
      expect(page.url()).toContain('brush.rank=')
      await page.getByRole('button', { name: 'Select all' }).click()
      await page.getByText('240 results', { exact: true }).waitFor()
    })
    test('selects the cells behind a place of the heat map', async () => {
      await show(`#/sweeps/${sweep.entry.id}`)
      await page.locator('.heat-map td button').first().click()
      await page.getByText(/^\d+ of 240 results/).waitFor()
      expect(page.url()).toContain('brush.learningRate=')
    })
    test('of 5,000 cells shows few rows at once, and its last cell at the end', async () => {
      await show('#/sweeps/large?sort=-number')
      await page.getByText('5000 results').waitFor()
      expect(await page.locator('.board-row').count()).toBeLessThan(80)
      await page.locator('.board-row').first().scrollIntoViewIfNeeded()
      expect(await page.locator('.board-row a').first().textContent()).toBe('5000')
    })
  })

  describe('the shell', () => {
    test('keeps the theme that the reader chose', async () => {
      await show('#/runs')
      const theme = page.getByRole('button', { name: /^Theme/ })
      await page.locator('li.run').first().waitFor()
      const colour = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
      const light = await colour()
      await theme.click()
      await page.keyboard.press('t')
      await expect.poll(colour).not.toBe(light)
      await page.reload()
      await page.getByRole('button', { name: /^Theme: dark/ }).waitFor()
      expect(await colour()).not.toBe(light)
    })
    test('shows its keys with ?, and Escape returns', async () => {
      await show('#/runs')
      await page.locator('li.run').first().waitFor()
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Help' }).waitFor()
      expect(await violations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
    })
    test('says that the server is gone, and goes on when it is back', async () => {
      server.answers.delete(paths.session())
      await page.goto(server.url)
      await page.getByText('Give the test one.').waitFor()
      server.answers.set(paths.session(), answers[paths.session()])
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByRole('heading', { name: 'Runs' }).waitFor()
      complaints.length = 0
    })
  })

  test('works from disk, with the answers as scripts', async () => {
    const directory = join(fileDirectory(), 'export')
    cpSync(folder, directory, { recursive: true })
    const exported = { ...answers, [paths.session()]: { version: '0.1.0', exported: true } }
    for (const [path, answer] of Object.entries(exported)) {
      const file = join(directory, answerScriptPath(path))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, answerScript(path, answer))
    }
    const index = join(directory, 'index.html')
    const html = readFileSync(index, 'utf8')
    const script = `<script src="${answerScriptPath(paths.session())}"></script>`
    expect(html).toContain('<!-- answers -->')
    writeFileSync(index, html.replace('<!-- answers -->', script))
    await page.goto(`${pathToFileURL(index).href}#/runs`)
    await page.getByRole('link', { name: id }).click()
    const figure = page.locator('figure').first()
    await figure.scrollIntoViewIfNeeded()
    await figure.locator('svg').waitFor()
    await page.getByText('exported', { exact: true }).waitFor()
  })
})
