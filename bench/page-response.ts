/**
 * The time that the page of `zeroshift ui` takes to answer a reader who works with a sweep of 5,000
 * cells and a list of 60,000 samples: from an event to the end of the second frame after it, which
 * also lasts two frames if there is nothing to do. The figures are made up.
 *
 *     npx tsx bench/page-response.ts [ROUNDS]
 */
import { chromium as launcher, type Page } from 'playwright-core'
import { builtPage } from '../infra/page.mjs'
import { stream } from '../learning/random.ts'
import { chromium } from '../tests/support/browser.ts'
import { runView, sweepView } from '../tests/support/page-fixture.ts'
import { pageServer } from '../tests/support/page-server.ts'
import { sampleInput } from '../tests/unit/report/fixtures.ts'
import { paths, type SampleTable } from '../ui/contract.ts'

const rounds = Number(process.argv[2] ?? '12')
const SAMPLES = 60_000
const CELLS = 5000

const source = stream(0, 'page-response')
const draw = () => source.uniform()
const numbers = (of: (i: number) => number) => Array.from({ length: SAMPLES }, (_, i) => of(i))
const shares = () => numbers(() => Math.round(1e4 * draw()) / 1e4)
const view = runView(sampleInput())
const { id } = view.entry
const samples: SampleTable = {
  classes: Array.from({ length: 10 }, (_, i) => `class ${i}`),
  sets: ['forget', 'retained', 'test'],
  set: numbers((i) => (i < 5000 ? 0 : i < 50_000 ? 1 : 2)),
  number: numbers((i) => (i * 7919) % SAMPLES),
  label: numbers(() => Math.floor(10 * draw())),
  models: ['gold', 'original', 'finetune', 'rfa'].map((label) => ({
    ...{ label, isGold: label === 'gold', confidence: shares() },
    predicted: numbers(() => Math.floor(10 * draw())),
  })),
  attacks: ['confidence', 'loss'],
  missing: [],
  left: 0,
}
const sweep = sweepView(CELLS)
const server = await pageServer(await builtPage(process.argv[3]), {
  [paths.session()]: { version: '' },
  [paths.run(id)]: { ...view, views: { samples: true, features: false } },
  [paths.samples(id)]: samples,
  [paths.scores(id, 'loss')]: {
    attack: 'loss',
    models: samples.models.map(({ label }) => ({
      label,
      scores: numbers(() => Number((-10 * draw()).toPrecision(6))),
    })),
    missing: [],
  },
  [paths.sweep(sweep.entry.id)]: sweep,
})
const browser = await launcher.launch({
  ...(chromium !== undefined && { executablePath: chromium }),
  args: ['--no-sandbox'],
})
const system = await browser.newBrowserCDPSession()
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(30_000)
  // The events of one kind, and the milliseconds from each of them to the end of the second frame.
  await page.addInitScript(`
    globalThis.waited = []
    globalThis.told = undefined
    globalThis.reached = (count) => new Promise((resolve) => {
      told = () => {
        if (waited.length >= count) resolve()
      }
      told()
    })
    globalThis.measured = (kind) => {
      waited.length = 0
      addEventListener(kind, globalThis.listener = ({ timeStamp }) => {
        requestAnimationFrame(() => requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = () => {
            waited.push(performance.now() - timeStamp)
            told?.()
          }
          port2.postMessage(0)
        }))
      }, { capture: true })
      globalThis.unmeasured = () => removeEventListener(kind, listener, { capture: true })
    }
  `)
  await page.goto(`${server.url}#/runs/${id}/samples`)
  await page.locator('.sample').first().waitFor()
  await measure(page, 'samples: nothing', 'change', async () => {
    await page.evaluate(`dispatchEvent(new Event('change'))`)
  })
  const menus: readonly (readonly [string, readonly string[]])[] = [
    ['Samples', ['all', 'retained', 'forget']],
    ['with', ['rfa', 'finetune', 'original']],
    ['First', ['lowest', 'number', 'change']],
  ]
  for (const [menu, values] of menus) {
    if (menu !== 'Samples')
      await page.getByRole('combobox', { name: 'Samples', exact: true }).selectOption('all')
    await measure(page, `60,000 samples: ${menu}`, 'change', async (i) => {
      await page
        .getByRole('combobox', { name: menu, exact: true })
        .selectOption(values[i % values.length] ?? '')
    })
  }
  await page.getByRole('combobox', { name: 'Samples', exact: true }).selectOption('all')
  if ((await page.getByRole('combobox', { name: 'Figure', exact: true }).count()) > 0) {
    await measure(page, '60,000 samples: Figure', 'change', async (i) => {
      await page
        .getByRole('combobox', { name: 'Figure', exact: true })
        .selectOption(i % 2 === 0 ? 'loss' : 'probability')
    })
  }
  await page.mouse.move(640, 600)
  await measure(page, '60,000 samples: scrolling', 'wheel', () => page.mouse.wheel(0, 900))
  await measure(page, '60,000 samples: opening', 'click', async () => {
    await page.locator('.sample').nth(6).locator('button').click()
  })

  await page.goto(`${server.url}#/sweeps/${sweep.entry.id}`)
  await page.getByText(`${CELLS} results`).waitFor()
  const canvas = page.locator('.drawing canvas').first()
  await canvas.scrollIntoViewIfNeeded()
  const { x, y } = (await canvas.boundingBox()) ?? { x: 0, y: 0 }
  await page.mouse.move(x + 90, y + 60)
  await page.mouse.down()
  await measure(page, '5,000 cells: dragging a range', 'pointermove', (i) =>
    page.mouse.move(x + 90, y + 90 + 12 * (i % 12)),
  )
  await page.mouse.up()
  await measure(page, '5,000 cells: choosing a range', 'pointerup', async (i) => {
    await page.mouse.move(x + 90, y + 60)
    await page.mouse.down()
    await page.mouse.move(x + 90, y + 100 + 10 * (i % 12))
    await page.mouse.up()
  })
  await page.getByRole('button', { name: 'Select all' }).click()
  await measure(page, '5,000 cells: sorting', 'click', async (i) => {
    await page
      .locator('table.board .sort')
      .nth(i % 4)
      .click()
  })
  await measure(page, '5,000 cells: a value', 'change', async (i) => {
    await page.getByRole('combobox', { name: 'rank', exact: true }).selectOption(i % 2 === 0 ? '4' : '')
  })
} finally {
  await browser.close()
  await server.close()
}

/** Does something several times and prints how long the page took, without the first time. */
async function measure(page: Page, name: string, kind: string, act: (i: number) => Promise<void>) {
  await act(rounds)
  await page.evaluate(`measured('${kind}')`)
  const before = await processorSeconds()
  for (let i = 0; i < rounds; i++) {
    await act(i)
    await page.evaluate(`reached(${i + 1})`)
  }
  const spent = (1000 * ((await processorSeconds()) - before)) / rounds
  const waited = await page.evaluate<readonly number[]>('unmeasured(), waited')
  const sorted = [...waited].sort((a, b) => a - b).map((ms) => Math.round(ms))
  const [least = 0, middle = 0, most = 0] = [0, 0.5, 1].map(
    (q) => sorted[Math.round(q * (sorted.length - 1))],
  )
  console.log(
    JSON.stringify({
      what: name,
      ...{ 'least ms': least, 'median ms': middle, 'most ms': most, 'processor ms': Math.round(spent) },
    }),
  )
}

/** The processor time of all processes of the browser until now. */
async function processorSeconds(): Promise<number> {
  const { processInfo } = await system.send('SystemInfo.getProcessInfo')
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0)
}
