import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../common/canonical.ts'
import { commandOf } from '../../../report/command.ts'
import { renderReport, type ReportInput } from '../../../report/report.ts'
import { trainedSeed } from '../../support/trained-seed.ts'
import { candidate, reversedKeys, sampleInput, withManifest, withoutStages } from './fixtures.ts'

interface Json {
  readonly computed: Readonly<Record<string, unknown>>
  readonly digest: string
  readonly clock: Readonly<Record<string, unknown>>
}

const parsed = (json: string) => JSON.parse(json) as Json

/** The visible text of a page: no tags, character references resolved, white space as one. */
function textOf(html: string): string {
  return html
    .replace(/<(style|title)[^>]*>.*?<\/\1>/gs, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&quot;|&apos;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
}

/** Another host at another time. */
function elsewhere(input: ReportInput): ReportInput {
  const manifests = Object.entries(input.manifests).map(([key, manifest], i) => [
    key,
    {
      ...manifest,
      clock: {
        seconds: manifest.clock.seconds * 3 + i,
        finishedAt: '2026-01-01T00:00:00.000Z',
        environment: { ...manifest.clock.environment, node: 'v24.0.0' },
      },
    },
  ])
  return { ...input, manifests: Object.fromEntries(manifests) as ReportInput['manifests'] }
}

describe('the same manifests give the same bytes', () => {
  test('when rendered again in one process', async () => {
    expect(await renderReport(sampleInput())).toEqual(await renderReport(sampleInput()))
  })

  test('when the keys of every object come in another order', async () => {
    const input = sampleInput()
    expect(Object.keys(reversedKeys(input).manifests)).not.toEqual(Object.keys(input.manifests))
    expect(await renderReport(reversedKeys(input))).toEqual(await renderReport(input))
  })

  test('when another report was rendered in between', async () => {
    const first = await renderReport(sampleInput())
    await renderReport(sampleInput({ gold: 4, methodsOnly: true }))
    expect(await renderReport(sampleInput())).toEqual(first)
  })
})

describe('report.json', () => {
  test('carries the digest of its computed part, sorted and indented', async () => {
    const { json, digest } = await renderReport(sampleInput())
    const { computed, digest: written } = parsed(json)
    expect(digest).toBe(digestOf(computed))
    expect(written).toBe(digest)
    expect(json).toBe(`${JSON.stringify(sortedDeep(JSON.parse(json)), null, 2)}\n`)
  })

  test('has the same digest whatever the clock and the host say, and says what they said apart', async () => {
    const here = await renderReport(sampleInput())
    const there = await renderReport(elsewhere(sampleInput()))
    expect(there.digest).toBe(here.digest)
    expect(parsed(there.json).computed).toEqual(parsed(here.json).computed)
    expect(parsed(there.json).clock).not.toEqual(parsed(here.json).clock)
    expect(JSON.stringify(parsed(here.json).computed)).not.toContain('rte')
  })

  test('has another digest when any computed figure differs', async () => {
    const { digest } = await renderReport(sampleInput())
    const input = sampleInput()
    const others = [
      sampleInput({ models: { rfa: { ta: 96.26 } } }),
      sampleInput({ models: { 'retrain, seed 2': { mia: 98.4 } } }),
      withManifest(input, input.run.plan.original, (manifest) => ({
        ...manifest,
        outputs: { result: { sha256: 'cd'.repeat(32), bytes: 1024 } },
      })),
    ]
    for (const other of others) expect((await renderReport(other)).digest).not.toBe(digest)
  })

  test('names every stage with its key, digest and seconds, the data and the command', async () => {
    const input = sampleInput()
    const { computed, clock } = parsed((await renderReport(input)).json)
    const keys = Object.keys(input.manifests).sort()
    const listed = (part: unknown) => (part as { key: string }[]).map(({ key }) => key).sort()
    expect(listed(computed.stages)).toEqual(keys)
    expect(listed(clock.stages)).toEqual(keys)
    for (const stage of computed.stages as { digest: string }[])
      expect(stage.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(computed.data).toEqual(input.run.facts)
    expect(clock.command).toBe(commandOf(input.run))
  })
})

describe('the page', () => {
  test('loads nothing and runs nothing', async () => {
    const { html } = await renderReport(sampleInput())
    expect(html).not.toMatch(/<(script|link|img|iframe|object|embed|image|use|base)\b/i)
    expect(html).not.toMatch(/\s(src|srcset|xlink:href|on\w+)\s*=/i)
    expect(html).not.toMatch(/@import|url\((?!#)/i)
    expect(html).not.toMatch(/https?:\/\//i)
    for (const [, target] of html.matchAll(/\shref="([^"]*)"/g)) expect(target).toMatch(/^#/)
  })

  test('has every id once, and every link and url() leads to one', async () => {
    const all = sampleInput()
    const { unlearn, evaluate, attack, compare } = candidate(all, 'rfa')
    const { html } = await renderReport(withoutStages(all, [unlearn, evaluate, attack, compare], []))
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const targets = [...html.matchAll(/href="#([^"]*)"|url\(#([^)]*)\)/g)].map(([, a, b]) => a ?? b)
    expect(targets.length).toBeGreaterThan(0)
    for (const target of targets) expect(ids).toContain(target)
  })

  test('says the outcome: that one seed is no test, the smallest gap, the floor and the cost', async () => {
    const text = textOf((await renderReport(sampleInput())).html)
    expect(text).toMatch(/No method was tested against gold: one seed does not show how much seeds differ/)
    expect(text).toMatch(/rfa has the smallest gap to gold of 3 methods: 0\.25 points/)
    expect(text).toMatch(/0\.63 points apart/) // (0.09 + 0 + 0.83 + 1.61) / 4
    expect(text).toMatch(/20\.0% of the time of retraining/)
  })

  test('shows each of the four figures with its signed difference to gold', async () => {
    const { html } = await renderReport(sampleInput())
    const row = /<th scope="row">finetune<\/th>.*?<\/tr>/s.exec(html)?.[0] ?? ''
    expect(textOf(row)).toMatch(/finetune 99\.21 −0\.79 35\.48 −64\.52 95\.83 −1\.25 46\.77 −53\.23 29\.95/)
  })

  test('shows data, digests, citation, seeds, versions, device and the command', async () => {
    const input = sampleInput()
    const text = textOf((await renderReport(input)).html)
    for (const expected of [
      input.run.facts.sources[0]?.sha256 ?? '',
      input.run.facts.citation,
      '2.21.0',
      'CPU',
      'v20.18.1',
      './zeroshift run configs/experiments/digits-class.yaml -S training.epochs=5',
      ...input.run.plan.gold.map(({ params }) => String(trainedSeed(params))),
      ...Object.keys(input.manifests).map((key) => key.slice(0, 12)),
    ])
      expect(text).toContain(expected)
  })

  test('draws its charts as labelled SVG: cost, residuals of rfa, curves and a histogram for every model', async () => {
    const { html } = await renderReport(sampleInput())
    const labels = [...html.matchAll(/<svg[^>]*role="img"[^>]*aria-label="([^"]*)"/g)].map(
      ([, label]) => label,
    )
    expect(labels).toHaveLength([...html.matchAll(/<svg/g)].length)
    const about = (words: RegExp) => labels.filter((label) => words.test(label ?? '')).length
    expect(about(/gap/i)).toBe(1)
    expect(about(/residual/i)).toBe(2)
    expect(about(/confidence/i)).toBe(6)
    expect(about(/loss/i)).toBe(1 + 3)
    expect(html).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('draws no curve for a method without steps, and names the method instead', async () => {
    const input = sampleInput()
    const { unlearn } = candidate(input, 'finetune')
    if (!unlearn) throw new Error('finetune unlearns')
    const without = withManifest(input, unlearn, (manifest) => ({
      ...manifest,
      metrics: { ...manifest.metrics, steps: 0, curve: [] },
    }))
    const { html } = await renderReport(without)
    const curves = [...html.matchAll(/aria-label="([^"]*): loss over steps\."/g)].map(([, label]) => label)
    expect(curves).toEqual(['rfa', 'rfa mean'])
    expect(textOf(html)).toContain('Methods without steps have no curve: finetune.')
  })

  test('a stage that failed is shown with its reason, and the rest stands', async () => {
    const all = sampleInput()
    const { unlearn, evaluate, attack, compare } = candidate(all, 'finetune')
    const failed = [{ title: 'unlearn by finetune', reason: 'the loss is not finite at step 3' }]
    const input = withoutStages(all, [unlearn, evaluate, attack, compare], failed)
    const { html, markdown, json } = await renderReport(input)
    const text = textOf(html)
    expect(text).toContain('unlearn by finetune failed: the loss is not finite at step 3')
    expect(text).toContain('n/a')
    expect(text).toMatch(/rfa has the smallest gap to gold/)
    expect(markdown).toMatch(/\| finetune \| n\/a\[\^1\]/)
    expect(markdown).toContain('[^1]: unlearn by finetune failed: the loss is not finite at step 3')
    expect(JSON.stringify(parsed(json).computed)).toContain('unlearn by finetune failed')
  })

  test('stands with no manifest at all', async () => {
    const { html, markdown, results } = await renderReport({ ...sampleInput(), manifests: {}, failed: [] })
    expect(textOf(html)).toContain('No method was tested against gold')
    expect(markdown).toContain('No method was tested against gold')
    for (const { label, metrics } of results)
      for (const [name, measured] of Object.entries(metrics))
        if (label !== 'original' || name !== 'rte') expect(measured).toHaveProperty('missing')
  })

  test('shows gold where the config does not list it', async () => {
    const { html } = await renderReport(sampleInput({ methodsOnly: true }))
    const row = /<th scope="row">(gold|retrain).*?<\/tr>/s.exec(html)?.[0] ?? ''
    expect(textOf(row)).toMatch(/100\.00.*97\.08/)
  })

  test('says in red at its top that gold does not look like gold, before any figure', async () => {
    const good = await renderReport(sampleInput())
    const bad = await renderReport(sampleInput({ models: { retrain: { fa: 1.61 } } }))
    const warning = /<div class="banner alert"[^>]*>.*?<\/div>/s
    expect(good.html).not.toMatch(warning)
    expect(textOf(warning.exec(bad.html)?.[0] ?? '')).toContain('FA of gold is 1.61%')
    expect(bad.html.search(warning)).toBeLessThan(bad.html.search(/class="framed"/))
    expect(bad.html).toMatch(/\.banner strong \{ color: var\(--bad\)/)
    expect(bad.markdown).toContain('[!CAUTION]')
    expect(good.markdown).not.toContain('[!CAUTION]')
    expect(bad.digest).not.toBe(good.digest)
  })
})

describe('names from outside', () => {
  const planted = '<script>alert("1")</script>|`x`&\'<b>'

  /** Every text that a config, a data set or an error can put into a report. */
  function hostile(text: string): ReportInput {
    const input = sampleInput()
    const { run } = input
    const label = (one: (typeof run.plan.candidates)[number]) => ({ ...one, label: `${text} ${one.label}` })
    return {
      ...input,
      failed: [{ title: text, reason: text }],
      run: {
        ...run,
        id: text,
        spec: { ...run.spec, name: text, split: { kind: 'class', classes: [text] } },
        facts: {
          ...run.facts,
          // A report that somebody else published may claim any name.
          name: text,
          classes: [text],
          sources: [{ name: text, sha256: text, bytes: 1 }],
          citation: text,
        },
        plan: {
          ...run.plan,
          original: { ...run.plan.original, title: text },
          candidates: run.plan.candidates.map(label),
          floor: run.plan.floor.map(label),
        },
        command: { config: text, overrides: [text] },
      },
    }
  }

  test('are text in the page and in its charts', async () => {
    const { html } = await renderReport(hostile(planted))
    expect(html).not.toMatch(/<script|<b>/i)
    expect(textOf(html).split(planted).length).toBeGreaterThan(20)
    expect(html.match(/<svg.*?<\/svg>/gs)?.join('')).toContain('&lt;script')
  })

  test('add no cell and no markup to the Markdown', async () => {
    const { markdown } = await renderReport(hostile(planted))
    // Every other part is code between fences, in which GitHub finds no markup.
    const parts = markdown.split(/^`{3,}.*$/m)
    expect(parts.filter((_, i) => i % 2 === 0).join('')).not.toMatch(/<script|<b>/i)
    expect(parts[1]).toContain(planted.replaceAll("'", "'\\''"))
    const tables = [...(parts[0] ?? '').matchAll(/(?:^\| .*\n)+/gm)].map(([table]) =>
      table.trim().split('\n'),
    )
    // Results, test samples of the forgotten classes, attacks and cost.
    expect(tables).toHaveLength(4)
    for (const table of tables) {
      expect(table).toHaveLength(2 + 6)
      expect(new Set(table.map((line) => line.match(/(?<!\\)\|/g)?.length)).size).toBe(1)
    }
  })

  test('cannot end the command they are in', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { run } = sampleInput()
        const command = commandOf({ ...run, command: { config: text, overrides: [text] } })
        const words = command.slice('./zeroshift run '.length).split(' -S ')
        if (!text.includes(' -S ')) expect(words.map(unquoted)).toEqual([text, text])
      }),
    )
  })
})

function sortedDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedDeep)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sortedDeep(item)]))
}

/** The value of one word in a POSIX shell. */
function unquoted(word: string): string {
  return word.replace(/'([^']*)'|\\(.)/gs, (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? '')
}
