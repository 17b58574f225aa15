import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium as launcher, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Point } from '../../../experiment/records/feature-maps.ts'
import { builtPage } from '../../../infra/page.mjs'
import { paths, type Features } from '../../../ui/contract.ts'
import { chromium, why } from '../../support/browser.ts'
import { runView } from '../../support/page-fixture.ts'
import { pageServer, type PageServer } from '../../support/page-server.ts'
import { sampleInput } from '../../unit/report/fixtures.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Two classes in two corners: the forget set is at the lower left, the test set further up. */
const samples = Array.from({ length: 60 }, (_, i) => ({
  set: (['forget', 'retained', 'test'] as const)[Math.floor(i / 20)] ?? ('test' as const),
  number: i,
  label: i < 20 ? 3 : 5,
}))
const places = samples.map((_, i): Point => [(i % 20) / 20 + (i < 20 ? 0 : 8), Math.floor(i / 20) * 4])
const models = ['gold', 'original', 'finetune', 'rfa', 'scrub'].map((label, i) => ({
  label,
  isGold: i === 0,
  umap: places,
  pca: places.map(([x, y]): Point => [y / 4, x / 4]),
}))
const features: Features = {
  layer: 'input of head',
  samples,
  classes: sampleInput().run.facts.classes,
  models,
  absent: [{ label: 'salun', reason: 'maps salun failed: no memory' }],
  cka: models.map(({ label }) => ({
    ...{ label, layers: ['conv1', 'head'], goldLayers: ['conv1', 'head'] },
    values: [
      [1, 0.25],
      [0.25, 1],
    ],
  })),
}

describe.skipIf(chromium === undefined)(`the maps of features on the page${why}`, () => {
  const input = sampleInput()
  const { id } = input.run
  let browser: Browser
  let server: PageServer
  beforeAll(async () => {
    browser = await launcher.launch({
      ...(chromium !== undefined && { executablePath: chromium }),
      args: ['--no-sandbox'],
    })
    server = await pageServer(await builtPage(), {
      [paths.session()]: { version: '0.1.0' },
      [paths.run(id)]: runView(input),
      [paths.features(id)]: features,
    })
  }, 120_000)
  afterAll(async () => {
    await browser.close()
    await server.close()
  })

  async function opened(colorScheme: 'light' | 'dark' = 'light', width = 1200): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    await page.goto(`${server.url}#/runs/${id}/features`)
    await page.locator('.map-pair canvas').first().waitFor()
    return page
  }
  const pictures = (page: Page) =>
    page.evaluate<readonly string[]>(
      "[...document.querySelectorAll('.map-pair canvas')].map((canvas) => canvas.toDataURL())",
    )

  test('shows UMAP and PCA of the first models, and CKA with gold', async () => {
    const page = await opened()
    expect(await page.locator('.map-models figcaption').allInnerTexts()).toEqual([
      'gold',
      'original',
      'finetune',
      'rfa',
    ])
    expect(await page.locator('.map-pair canvas').count()).toBe(8)
    expect(await page.locator('main').innerText()).toContain('salun: maps salun failed: no memory')
    await page.getByRole('heading', { name: 'Linear CKA between' }).scrollIntoViewIfNeeded()
    await page.locator('.panels svg.chart').first().waitFor()
    await page.close()
  })

  test('marks the sample under the pointer in every map', async () => {
    const page = await opened()
    const first = page.locator('.map-pair canvas').first()
    const box = (await first.boundingBox()) ?? expect.fail('the map has no place')
    const before = await pictures(page)
    // The upper right sample is the last one. The map is a square in the middle of the drawing.
    const size = Math.min(box.width, box.height)
    const side = 8.95 * 1.08
    const x = ((places[59]?.[0] ?? NaN) - (8.95 / 2 - side / 2)) / side
    const y = (4 + side / 2 - 8) / side
    await page.mouse.move(
      box.x + (box.width - size) / 2 + x * size,
      box.y + (box.height - size) / 2 + y * size,
    )
    await page.getByText('test sample 59: class 5, test set').waitFor()
    await expect.poll(async () => (await pictures(page)).filter((now, i) => now !== before[i]).length).toBe(8)
    const started = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export the chart gold UMAP' }).click()
    await page.getByRole('button', { name: 'SVG' }).click()
    expect((await started).suggestedFilename()).toMatch(/gold.*UMAP.*\.svg$/)
    await page.close()
  })

  test('selects by dragging and by keyboard in every map, and shows the models that are chosen', async () => {
    const page = await opened()
    const box =
      (await page.locator('.map-pair canvas').first().boundingBox()) ?? expect.fail('the map has no place')
    await page.mouse.move(box.x + 2, box.y + box.height - 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.up()
    await page.getByText('20 selected: 20 of the forget set. Classes: 3 (20).').waitFor()
    await page.getByRole('button', { name: 'Select none' }).click()
    await page.getByText('60 samples.').waitFor()
    await page.getByRole('button', { name: '5', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('40 selected: 20 of the retained set, 20 of the test set.').waitFor()

    await page.getByRole('button', { name: 'scrub', exact: true }).click()
    await page.getByRole('button', { name: 'PCA', exact: true }).click()
    await expect.poll(() => page.locator('.map-pair canvas').count()).toBe(5)
    expect(page.url()).toContain('maps=umap')
    // The address alone shows the same again.
    const again = await browser.newPage()
    await again.goto(page.url())
    await again.locator('.map-pair canvas').first().waitFor()
    expect(await again.locator('.map-models figcaption').count()).toBe(5)
    expect(await again.locator('.map-pair canvas').count()).toBe(5)
    await again.close()
    await page.close()
  })

  test.each([
    ['light', 1200],
    ['dark', 1200],
    ['light', 390],
  ] as const)('has no accessibility violation in %s at %i pixels, and fits', async (scheme, width) => {
    const page = await opened(scheme, width)
    // The policy of the page allows no other scripts, but the debugger may evaluate.
    const violations = await page.evaluate<readonly string[]>(
      `(() => { ${axe}; return axe.run('.features') })().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target).join(', ')))`,
    )
    expect(violations).toEqual([])
    expect(
      await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      ),
    ).toBe(0)
    await page.close()
  })

  test('says what to add to the config of a run without maps', async () => {
    server.answers.set(paths.features(id), {
      missing: 'This run draws no maps of features.',
      remedy: 'Add `maps: {}` to the config.',
    } satisfies Features)
    const page = await browser.newPage()
    await page.goto(`${server.url}#/runs/${id}/features`)
    await page.locator('.banner code').waitFor()
    expect(await page.locator('.banner code').innerText()).toBe('maps: {}')
    server.answers.set(paths.features(id), features)
    await page.close()
  })
})
