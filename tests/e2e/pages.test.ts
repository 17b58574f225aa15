import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium as launcher, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderComparison } from '../../report/comparison/render.ts'
import { deletionDocument } from '../../report/deletion-page.ts'
import { renderHtml } from '../../report/render/html.ts'
import { renderReport } from '../../report/report.ts'
import { chromium, why } from '../support/browser.ts'
import { madeBatch, madeDeletions } from '../support/deletions.ts'
import { sampleComparison } from '../unit/report/comparison-fixture.ts'
import { sampleInput } from '../unit/report/fixtures.ts'
import { fileDirectory } from '../support/directories.ts'

/**
 * Runs in a page. Finds the texts of charts that overlap or are cut off enough for a reader to
 * notice. The halo of a text has the same content as the text, so that it does not count.
 */
const overlapping = `[...document.querySelectorAll('svg')].flatMap((chart) => {
  const frame = chart.getBoundingClientRect()
  const boxes = [...chart.querySelectorAll('text')]
    .filter(({ textContent }) => textContent.trim() !== '')
    .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }))
  return boxes.flatMap(({ text, box }, i) => [
    ...(box.left < frame.left - 2 || box.right > frame.right + 2 ? [text + ' is cut off'] : []),
    ...boxes.slice(i + 1).flatMap((other) => {
      const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left)
      const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top)
      return width > 4 && height > 5 && text !== other.text ? [text + ' lies over ' + other.text] : []
    }),
  ])
})`
/** In a page: how far it can be scrolled to the side, in pixels. */
const sideways = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
const background = 'getComputedStyle(document.body).backgroundColor'

/** Pages as a reader sees them: a sweep's report and an experiment's, in a real browser. */
describe.skipIf(chromium === undefined)(`the pages of reports${why}`, () => {
  const directory = fileDirectory()
  const sweepPage = 'sweeps/ranks/report/index.html'
  const runPage = 'runs/one/report/index.html'
  let browser: Browser
  beforeAll(async () => {
    write(sweepPage, (await renderComparison(sampleComparison())).files['index.html'] ?? '')
    write(runPage, (await renderReport(sampleInput())).html)
    browser = await launcher.launch({
      ...(chromium !== undefined && { executablePath: chromium }),
      args: ['--no-sandbox'],
    })
  })
  afterAll(async () => {
    await browser.close()
  })

  function write(path: string, text: string): void {
    mkdirSync(join(directory, dirname(path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }

  async function opened(path: string, width: number, colorScheme: 'light' | 'dark') {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(`asked for ${request.url()}`)
    })
    await page.goto(pathToFileURL(join(directory, path)).href)
    return { page, complaints }
  }

  test.each([
    [sweepPage, 1200, 'light'],
    [sweepPage, 800, 'dark'],
    [runPage, 1200, 'dark'],
    [runPage, 800, 'light'],
  ] as const)(
    '%s at %i pixels, %s: nothing is cut off, asks for anything or complains',
    async (path, width, scheme) => {
      const { page, complaints } = await opened(path, width, scheme)
      expect(complaints).toEqual([])
      expect(await page.evaluate(sideways)).toBe(0)
      expect(await page.evaluate(overlapping)).toEqual([])
      await page.close()
    },
  )

  test('a sweep shows every run or says why it is missing, its charts, and leads to the reports of its runs', async () => {
    const { page } = await opened(sweepPage, 1200, 'light')
    const { runs } = sampleComparison()
    const text = await page.locator('main').innerText()
    for (const { id } of runs) expect(text).toContain(id.replace(/^.*-/, ''))
    for (const { outcome } of runs) if ('missing' in outcome) expect(text).toContain(outcome.missing)
    expect(await page.locator('svg').count()).toBeGreaterThanOrEqual(4)
    const light = await page.evaluate(background)
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await page.evaluate(background)).not.toBe(light)

    const linked = runs.find(({ link }) => link !== undefined)
    if (!linked?.link) throw new Error('the fixture has links')
    write(join(dirname(sweepPage), linked.link), '<title>its own report</title>')
    await page.locator(`a[href="${linked.link}"]`).first().click()
    expect(await page.title()).toBe('its own report')
    await page.close()
  })

  test('names that hold script or markup run nothing and ask for nothing', async () => {
    const evil = `"'><img src=x onerror="document.title='run'"><script>document.title='run'</script><svg onload=alert(1)>`
    const link = `javascript:document.title='run'`
    const comparison = sampleComparison()
    const hostile = {
      ...comparison,
      sweep: evil,
      columns: comparison.columns.map((column) => ({ ...column, name: `${column.name} ${evil}` })),
      runs: comparison.runs.map((run) => ({
        ...run,
        id: `${run.id}${evil}`,
        values: [evil, ...run.values.slice(1)],
      })),
    }
    const input = sampleInput()
    write('evil/sweep.html', (await renderComparison(hostile)).files['index.html'] ?? '')
    write(
      'evil/run.html',
      (
        await renderReport({
          ...input,
          failed: [{ title: evil, reason: evil }],
          run: {
            ...input.run,
            spec: { ...input.run.spec, name: evil },
            facts: {
              ...input.run.facts,
              classes: input.run.facts.classes.map((name) => `${name} ${evil}`),
              citation: evil,
            },
            command: { config: link, overrides: [evil] },
          },
        })
      ).html,
    )
    for (const path of ['evil/sweep.html', 'evil/run.html']) {
      const { page, complaints } = await opened(path, 1200, 'light')
      expect(complaints).toEqual([])
      expect(await page.title()).not.toBe('run')
      expect(await page.locator('img, script, svg[onload], [href^="javascript:"]').count()).toBe(0)
      expect(await page.locator('main').innerText()).toContain('onerror')
      await page.close()
    }
  })
})

/** The width of a printed A4 page without its margins, in pixels of 1/96 inch. */
const PRINTED = Math.floor(((210 - 30) / 25.4) * 96)

/** In a page: the elements whose content is wider than they are or than the page. */
const cutOff = `[...document.querySelectorAll('body *')].filter((element) =>
  element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline' ||
  element.getBoundingClientRect().right > innerWidth + 1
).map(({ tagName, textContent }) => tagName + ' ' + textContent.slice(0, 80))`

describe.skipIf(chromium === undefined)(`the page of a certificate, printed${why}`, () => {
  const [measured, replayed, refused] = madeDeletions(3)
  const [, inBatch] = madeBatch(3)
  const reason = 'the loss is not finite after the third step, and no later step could be computed. '.repeat(
    4,
  )
  const long = refused && {
    ...refused.record,
    reason,
    attempts: refused.record.attempts.map((attempt) =>
      attempt.outcome === 'failed' ? { ...attempt, reason, label: 'replay of the whole training' } : attempt,
    ),
  }

  test.each([
    ['measured', measured?.record],
    ['replayed', replayed?.record],
    ['refused for a long reason', long],
    ['in a batch', inBatch?.record],
  ])('%s: on A4, with all of its text', async (name, record) => {
    if (!record) throw new Error('it was made')
    const path = join(fileDirectory(), 'index.html')
    writeFileSync(path, await renderHtml(deletionDocument({ record, keyid: 'ab'.repeat(32) })))
    const browser = await launcher.launch({
      ...(chromium !== undefined && { executablePath: chromium }),
      args: ['--no-sandbox'],
    })
    try {
      const page = await browser.newPage({ viewport: { width: PRINTED, height: 900 } })
      await page.goto(pathToFileURL(path).href)
      const text = async () => (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ')
      const onScreen = await text()
      await page.emulateMedia({ media: 'print' })
      expect(await text()).toBe(onScreen)
      expect(await page.evaluate(cutOff), name).toEqual([])
      const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1')
      const pages = pdf.match(/\/Type\s*\/Page\b/g) ?? []
      expect(pages.length).toBeGreaterThan(1)
      expect(pages.length).toBeLessThan(6)
      const boxes = [...pdf.matchAll(/\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/g)]
      expect(
        new Set(
          boxes.map(([, width, height]) => `${Math.round(Number(width))} ${Math.round(Number(height))}`),
        ),
      ).toEqual(new Set(['595 842']))
    } finally {
      await browser.close()
    }
  })
})
