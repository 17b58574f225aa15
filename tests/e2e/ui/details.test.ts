import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium as launcher, type Browser, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { outcomesOf } from '../../../activities/outcomes.ts'
import { sampleScoresOf } from '../../../activities/sample-scores.ts'
import { neighboursOf, readPictures, samplesOf } from '../../../activities/samples.ts'
import type { AttackCurve, Outcomes } from '../../../experiment/records/outcomes.ts'
import type { SampleScores, SampleTable } from '../../../experiment/records/samples.ts'
import { builtPage } from '../../../infra/page.mjs'
import { percent, significant } from '../../../report/format.ts'
import { paths } from '../../../ui/contract.ts'
import { chromium, why } from '../../support/browser.ts'
import { runView } from '../../support/page-fixture.ts'
import { pageServer, type PageServer } from '../../support/page-server.ts'
import { sampledRun } from '../../support/sampled-run.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The parts of a list of figures that the tests look at. */
interface FigureElement {
  querySelectorAll(selector: '.figure'): readonly { readonly textContent: string }[]
}

/** 60,000 made-up samples with different differences, since 7 and 60,000 have no common factor. */
function largeTable(table: SampleTable): SampleTable {
  const rows = Array.from({ length: 60_000 }, (_, i) => i)
  const rank = (i: number) => (i * 7) % 60_000
  return {
    ...{ classes: table.classes, sets: table.sets, attacks: table.attacks, missing: [], left: 0 },
    set: rows.map((i) => (i < 100 ? 0 : 1)),
    number: rows,
    label: rows.map((i) => i % 10),
    models: ['gold', 'original'].map((label, model) => ({
      ...{ label, isGold: model === 0 },
      confidence: rows.map((i) => (model === 0 ? 0 : rank(i) / 60_000)),
      predicted: rows.map((i) => i % 10),
    })),
  }
}

describe.skipIf(chromium === undefined)(`outcomes and samples on the page${why}`, () => {
  let browser: Browser
  let server: PageServer
  let id: string
  let outcomes: Outcomes
  let table: SampleTable
  let scores: SampleScores
  const complaints: string[] = []
  beforeAll(async () => {
    const { artifacts, input, run } = await sampledRun()
    id = run.id
    outcomes = await outcomesOf(artifacts, input)
    table = (await samplesOf(artifacts, input)) ?? expect.fail('the run has no samples')
    scores =
      (await sampleScoresOf(artifacts, input, 'modified-entropy')) ?? expect.fail('the run has no scores')
    const pictures = (await readPictures(artifacts, input)) ?? expect.fail('the run has no pictures')
    const view = runView(input)
    const neighbours = table.number.map((number): readonly [string, unknown] => [
      paths.neighbours(id, number),
      table.set[table.number.indexOf(number)] === 0 ? neighboursOf(pictures, number) : undefined,
    ])
    browser = await launcher.launch({
      ...(chromium !== undefined && { executablePath: chromium }),
      args: ['--no-sandbox'],
    })
    server = await pageServer(await builtPage(), {
      [paths.session()]: { version: '0.1.0' },
      [paths.run(id)]: { ...view, views: { samples: true, features: false } },
      [paths.outcomes(id)]: outcomes,
      [paths.samples(id)]: table,
      [paths.scores(id, 'modified-entropy')]: scores,
      ...Object.fromEntries<unknown>(neighbours),
    })
  }, 180_000)
  afterAll(async () => {
    await browser.close()
    await server.close()
  })
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    expect(complaints.splice(0)).toEqual([])
  })

  async function opened(tab: 'outcomes' | 'samples', width = 1280) {
    const page = await browser.newPage({ viewport: { width, height: 900 } })
    // This server has no pictures, whose places stay empty. All other complaints count.
    page.on('console', (message) => {
      const isPicture = message.location().url.endsWith('.png')
      if (['error', 'warning'].includes(message.type()) && !isPicture) complaints.push(message.text())
    })
    page.on('pageerror', ({ message }) => complaints.push(message))
    await page.goto(`${server.url}#/runs/${id}/${tab}`)
    await page
      .locator(tab === 'outcomes' ? '.threshold svg' : '.sample')
      .first()
      .waitFor()
    return page
  }

  const curveOf = (label: string, attack = 'loss'): AttackCurve => {
    const model = outcomes.models.find((one) => one.label === label)
    const found = model?.attacks.find((one) => one.attack === attack)
    return found && !('missing' in found) ? found : expect.fail(`no curve of ${label}`)
  }
  /** The counts of the forget set and of samples never seen, called members and not. */
  const countsOf = ({ members, nonMembers, falsePositives, truePositives }: AttackCurve, point: number) =>
    [
      [truePositives[point] ?? NaN, members],
      [falsePositives[point] ?? NaN, nonMembers],
    ].flatMap(([called = NaN, all = NaN]) => [called, all - called].map(String))
  const shownCounts = (page: Page) => page.locator('.threshold table td').allInnerTexts()

  test('a threshold that is dragged changes the counts, the rates and the point on the curve', async () => {
    const page = await opened('outcomes')
    const curve = curveOf('original')
    const first = curve.falsePositives.findIndex((count) => count >= 0.1 * curve.nonMembers)
    expect(await shownCounts(page)).toEqual(countsOf(curve, first))
    const slider = page.getByRole('slider', { name: 'Threshold' })
    const before = await page.locator('.threshold svg').innerHTML()
    const box = (await slider.boundingBox()) ?? expect.fail('the slider is not shown')
    await page.mouse.move(box.x + (box.width * first) / (curve.thresholds.length - 1), box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2, { steps: 4 })
    await page.mouse.up()
    const point = Number(await slider.inputValue())
    expect(point).toBeGreaterThan(first)
    expect(await shownCounts(page)).toEqual(countsOf(curve, point))
    const rate = (100 * (curve.truePositives[point] ?? NaN)) / curve.members
    expect(await page.locator('.threshold dd').first().innerText()).toContain(percent(rate))
    await expect.poll(() => page.locator('.threshold svg').innerHTML()).not.toBe(before)

    await slider.press('Home')
    expect(await page.locator('.threshold output').innerText()).toBe('above all scores')
    expect((await shownCounts(page)).filter((_, i) => i % 2 === 0)).toEqual(['0', '0'])
    await slider.press('End')
    expect(await shownCounts(page)).toEqual(countsOf(curve, curve.thresholds.length - 1))
  })

  test('the address keeps the threshold', async () => {
    const page = await opened('outcomes')
    const slider = page.getByRole('slider', { name: 'Threshold' })
    await slider.focus()
    for (let i = 0; i < 3; i++) await slider.press('ArrowRight')
    const [point, counts] = [await slider.inputValue(), await shownCounts(page)]
    await page.reload()
    await slider.waitFor()
    expect([await slider.inputValue(), await shownCounts(page)]).toEqual([point, counts])
  })

  test('another model is shown at the same false-positive rate', async () => {
    const page = await opened('outcomes')
    const curve = curveOf('original')
    const slider = page.getByRole('slider', { name: 'Threshold' })
    await slider.focus()
    for (let i = 0; i < 5; i++) await slider.press('ArrowRight')
    const rate = (curve.falsePositives[Number(await slider.inputValue())] ?? NaN) / curve.nonMembers
    await page.getByLabel('Model').first().selectOption('finetune')
    const other = curveOf('finetune')
    const point = other.falsePositives.findIndex((count) => count >= rate * other.nonMembers)
    await expect.poll(() => shownCounts(page)).toEqual(countsOf(other, point))
  })

  test('predictions are drawn beside gold for the chosen samples, without classes that have none', async () => {
    const page = await opened('outcomes')
    const section = page.locator('section', {
      has: page.getByRole('heading', { name: 'Predictions against gold' }),
    })
    await section.scrollIntoViewIfNeeded()
    await section.locator('svg').nth(2).waitFor()
    const height = async () => (await section.locator('svg').first().boundingBox())?.height ?? NaN
    // All samples of the forget set are of class 3, and the test samples are of all ten.
    const forget = await height()
    await section.getByRole('combobox', { name: 'Samples' }).selectOption('test')
    await expect.poll(height).toBeGreaterThan(2 * forget)
  })

  test('samples are sorted by what the two models differ in, and filtered', async () => {
    const page = await opened('samples')
    const forgotten = table.number.filter((_, row) => table.set[row] === 0)
    await page.getByText(`${forgotten.length} samples`, { exact: true }).waitFor()
    const shown = async () =>
      (await page.locator('.sample-name small').allInnerTexts()).map((text) => Number(text.split(' ').at(-1)))
    const sortedBy = (of: (row: number) => number) =>
      forgotten
        .map((number, row) => ({ number, place: of(row) }))
        .sort((a, b) => a.place - b.place)
        .map(({ number }) => number)
    const confidence = (label: string, row: number) =>
      table.models.find((model) => model.label === label)?.confidence[row] ?? NaN
    expect((await shown()).slice(0, 5)).toEqual(
      sortedBy((row) => -Math.abs(confidence('original', row) - confidence('gold', row))).slice(0, 5),
    )
    await page.getByRole('combobox', { name: 'with', exact: true }).selectOption({ label: 'finetune' })
    await page.getByLabel('First').selectOption('lowest')
    const lowest = sortedBy((row) => confidence('finetune', row)).slice(0, 5)
    await expect.poll(async () => (await shown()).slice(0, 5)).toEqual(lowest)
    await page.getByRole('combobox', { name: 'Class', exact: true }).selectOption({ label: '4' })
    await page.getByText('0 samples', { exact: true }).waitFor()
    await page.getByLabel('Samples').selectOption({ label: 'all' })
    const ofClass = table.label.filter((label) => label === 4).length
    await page.getByText(`${ofClass} samples`, { exact: true }).waitFor()
    // The address holds the choices.
    await page.reload()
    await page.getByText(`${ofClass} samples`, { exact: true }).waitFor()
    expect(await page.getByLabel('First').inputValue()).toBe('lowest')
  })

  test('samples are sorted by the scores of an attack, which stand beside them', async () => {
    const page = await opened('samples')
    await page
      .getByRole('combobox', { name: 'Figure', exact: true })
      .selectOption({ label: 'Modified entropy (attack)' })
    await page.getByLabel('First').selectOption('highest')
    const own = scores.models.find(({ label }) => label === 'original')?.scores ?? []
    const best = table.number
      .flatMap((number, row) => (table.set[row] === 0 ? [{ number, score: own[row] ?? NaN }] : []))
      .sort((a, b) => b.score - a.score)
      .slice(0, 5)
    await expect
      .poll(async () => (await page.locator('.sample-name small').allInnerTexts()).slice(0, 5))
      .toEqual(best.map(({ number }) => `forget sample ${number}`))
    const figures = await page
      .locator('.sample-models')
      .evaluateAll((found: readonly FigureElement[]) =>
        found.slice(0, 5).map((one) => one.querySelectorAll('.figure')[1]?.textContent),
      )
    expect(figures).toEqual(best.map(({ score }) => significant(score)))
  })

  test('a sample that is opened has all models and its neighbours, and its height follows it', async () => {
    const page = await opened('samples')
    const more = page.getByRole('button', { name: /^More of sample/ }).nth(1)
    const number = Number((await more.getAttribute('aria-label'))?.split(' ').at(-1))
    await more.click()
    const row = page.locator('.sample', { has: page.getByRole('button', { name: /^Less of sample/ }) })
    await row.getByText('Nearest retained samples by pixels').waitFor()
    expect(await row.locator('.confidence').count()).toBe(table.models.length)
    expect(await row.locator('.neighbours li').count()).toBe(12)
    const tops = () =>
      page.evaluate<readonly number[]>(
        `[...document.querySelectorAll('.sample')].map((row) => row.getBoundingClientRect()).sort((a, b) => a.top - b.top).flatMap(({ top, bottom }, i, all) => i + 1 < all.length ? [all[i + 1].top - bottom] : [])`,
      )
    const isClosed = (gaps: readonly number[]) => gaps.every((gap) => Math.abs(gap) < 1)
    await expect.poll(async () => isClosed(await tops())).toBe(true)
    // In the order of numbers the row is elsewhere. No other row may keep its height.
    await page.getByLabel('First').selectOption('number')
    await expect.poll(async () => isClosed(await tops())).toBe(true)
    await page.getByLabel('First').selectOption('change')
    await page.getByRole('button', { name: `Less of sample ${number}` }).click()
    await expect.poll(async () => isClosed(await tops())).toBe(true)
    expect(await page.locator('.neighbours').count()).toBe(0)
  })

  test('of 60,000 samples few rows are drawn, and the last one is at the end', async () => {
    server.answers.set(paths.samples(id), largeTable(table))
    try {
      const page = await opened('samples')
      await page.getByLabel('Samples').selectOption({ label: 'all' })
      await page.getByText('60,000 samples', { exact: true }).waitFor()
      const rows = page.locator('.sample')
      expect(await rows.count()).toBeLessThan(40)
      const ranked = Array.from({ length: 60_000 }, (_, i) => i).sort(
        (a, b) => ((b * 7) % 60_000) - ((a * 7) % 60_000),
      )
      await page.getByText(new RegExp(` sample ${ranked[0] ?? NaN}$`)).waitFor()
      await page.evaluate('scrollTo(0, document.body.scrollHeight)')
      await page.getByText(new RegExp(` sample ${ranked.at(-1) ?? NaN}$`)).waitFor()
      expect(await rows.count()).toBeLessThan(40)
      await page.getByLabel('First').selectOption('number')
      await page.evaluate('scrollTo(0, 0)')
      await page.getByText(/ sample 0$/).waitFor()
      expect(await rows.count()).toBeLessThan(40)
    } finally {
      server.answers.set(paths.samples(id), table)
    }
  })

  test.each(['outcomes', 'samples'] as const)(
    'the view %s has no accessibility violation in light and dark, and fits on a phone',
    async (tab) => {
      for (const width of [1280, 390]) {
        const page = await opened(tab, width)
        if (tab === 'samples') {
          await page
            .getByRole('button', { name: /^More of sample/ })
            .first()
            .click()
          await page.locator('.neighbours li').first().waitFor()
        }
        // The policy of the page allows no other scripts, but the debugger may evaluate.
        await page.evaluate(`(() => { ${axe} })()`)
        const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
        const light = await background()
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          if (colorScheme === 'dark') await expect.poll(background).not.toBe(light)
          const violations = await page.evaluate<readonly string[]>(
            `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`,
          )
          expect(violations, `${colorScheme} ${width}`).toEqual([])
          expect(
            await page.evaluate<number>(
              'document.documentElement.scrollWidth - document.documentElement.clientWidth',
            ),
            `${colorScheme} ${width}`,
          ).toBe(0)
        }
        await page.close()
      }
    },
  )
})
