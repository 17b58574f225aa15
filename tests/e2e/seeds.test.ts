import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WorkflowFailedError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MathError } from '../../common/errors.ts'
import type { RunInput, RunResult } from '../../experiment/records/run.ts'
import { rowsOf, seedsOf, stagesOf } from '../../experiment/stages/stage-list.ts'
import { workflowId, workflowType } from '../../workflows/names.ts'
import { answerOf, smallConfig, type Answer } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { errorOf } from '../support/errors.ts'
import { recording, type Fault } from '../support/recording.ts'
import { sampleRun } from '../support/run.ts'
import { sharedStack } from '../support/shared-stack.ts'
import { temporalServer, withWorker } from '../support/temporal.ts'

describe('a run of several seeds', () => {
  let server: Awaited<ReturnType<typeof temporalServer>>
  beforeAll(async () => {
    server = await temporalServer()
  })
  afterAll(() => server.stop())

  async function run(input: RunInput, fault?: Fault) {
    const { activities, calls } = recording(fault)
    const result = await withWorker(server.address, activities, async () => {
      const handle = await server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(
        workflowType,
        { workflowId: workflowId(input.run.id), taskQueue: 'zeroshift', args: [input] },
      )
      return handle.result()
    })
    return { result, calls }
  }

  test('executes every stage of every seed once', async () => {
    const input = sampleRun({ name: 'seeds', seeds: 3 })
    const { result, calls } = await run(input)
    const stages = stagesOf(input.run.plan)
    expect(calls.map(({ key }) => key).sort()).toEqual(stages.map(({ key }) => key).sort())
    expect(result).toMatchObject({ computed: stages.length, failed: [] })
  })

  test('goes on without a seed whose gold failed', async () => {
    const input = sampleRun({ name: 'lost', seeds: 3 })
    const [first, lost, third] = seedsOf(input.run.plan)
    const gold = lost?.gold[0]
    const { result, calls } = await run(input, ({ key }) => {
      if (key === gold?.key) throw new MathError('the loss is not finite')
    })
    expect(result.failed).toEqual([{ title: 'train gold, seed 2', reason: 'the loss is not finite' }])
    const compared = new Set(calls.map(({ key }) => key))
    for (const seed of [first, third])
      for (const { compare } of seed ? rowsOf(seed) : []) expect(compared).toContain(compare.key)
    for (const { compare } of lost ? rowsOf(lost) : []) expect(compared).not.toContain(compare.key)
    expect(calls.filter(({ kind }) => kind === 'population')).toEqual([])
  })

  test('fails where no seed is left', async () => {
    const input = sampleRun({ name: 'none', seeds: 2 })
    const golds = seedsOf(input.run.plan).map(({ gold }) => gold[0]?.key)
    const running = run(input, ({ key }) => {
      if (golds.includes(key)) throw new MathError('the loss is not finite')
    })
    const failure = await errorOf(running, WorkflowFailedError)
    expect(failure.cause?.message).toBe('train gold, seed 1: the loss is not finite')
  })
})

describe('three seeds on digits', () => {
  const stack = sharedStack()
  const directory = fileDirectory()
  async function run(...args: readonly string[]): Promise<Answer> {
    writeFileSync(join(directory, 'small.yaml'), smallConfig)
    return answerOf((await stack.here(directory, 'run', 'small.yaml', '--json', ...args)).stdout)
  }

  test('give means with intervals and populations, and leave what experiments of one seed by hand need', async () => {
    const all = await run('-S', 'seeds=3')
    expect(all.status).toBe('completed')
    for (const i of [1, 2, 3]) {
      const { stages } = await run('--dry-run', '-S', `seed.training=${i}`, '-S', `seed.unlearning=${i}`)
      expect(stages).toEqual({ computed: 0, cached: (all.stages.computed - 3) / 3 + 2 })
    }

    const folder = fileURLToPath(all.report)
    const { computed } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report
    const gaps = computed.seeds.map(
      (rows) => rows.find(({ label }) => label === 'rfa')?.metrics.averageGap?.value ?? NaN,
    )
    expect(new Set(gaps).size).toBe(3)
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / 3
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / 2
    const { metrics, intervals, n } = all.results.find(({ method }) => method === 'rfa') ?? {}
    expect(metrics?.averageGap).toBeCloseTo(mean, 9)
    // t₀.₉₇₅(2) · s / √3, or both ends where that is more than the gap.
    const half = 4.302652729749464 * Math.sqrt(variance / 3)
    if (half <= mean) expect(intervals?.averageGap).toBeCloseTo(half, 6)
    else expect(intervals?.averageGap).toEqual([expect.any(Number), expect.any(Number)])
    expect(n?.averageGap).toBe(3)

    const [rfa] = computed.population
    expect(rfa).toMatchObject({ label: 'rfa', models: 3 })
    expect(rfa?.uLira.missing).toContain('U-LiRA needs 8 models of each kind; there are 3')
    expect(rfa?.klom.forget.mean.missing).toContain('KLoM needs 64 models')
    expect(rfa?.forgettingQuality.forgetting.missing).toContain('Forgetting quality needs 32 models')

    const markdown = readFileSync(join(folder, 'report.md'), 'utf8')
    expect(markdown).toContain("n = 3 seeds, 95% intervals (Student's t)")
    expect(markdown).toMatch(/^\| rfa(?: ‡)? \| \d+\.\d\d (± \d+\.\d\d|\(\d+\.\d\d – \d+\.\d\d\)) \(/m)
  })
})

interface Report {
  readonly computed: {
    readonly seeds: readonly (readonly {
      readonly label: string
      readonly metrics: Readonly<Record<string, { readonly value?: number }>>
    }[])[]
    readonly population: readonly {
      readonly label: string
      readonly models: number
      readonly uLira: { readonly missing?: string }
      readonly klom: { readonly forget: { readonly mean: { readonly missing?: string } } }
      readonly forgettingQuality: { readonly forgetting: { readonly missing?: string } }
    }[]
  }
}
