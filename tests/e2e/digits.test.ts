import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { answerOf, zeroshift, type Answer } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'

/**
 * Runs the experiment of the quickstart with the launcher, as a user does: twice with empty stores,
 * then once more.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const config = join(root, 'configs', 'experiments', 'digits-class.yaml')

async function run(directory: string): Promise<Answer> {
  const { stdout } = await zeroshift(directory, 'run', config, '--json').ended
  return answerOf(stdout)
}

const directories: string[] = []
function emptyDirectory(): string {
  const directory = fileDirectory()
  directories.push(directory)
  return directory
}

describe('class unlearning on digits', () => {
  let first: Answer
  let second: Answer
  let again: Answer
  let here: string
  beforeAll(async () => {
    here = emptyDirectory()
    first = await run(here)
    second = await run(emptyDirectory())
    again = await run(here)
  })

  const figure = (method: string, metric: string) =>
    first.results.find((row) => row.method === method)?.metrics[metric] ?? NaN

  test('residual feature alignment forgets the class and comes within 1.5 points of gold', () => {
    expect(first.status).toBe('completed')
    expect(figure('retrain', 'ua')).toBe(100)
    expect(figure('original', 'ua')).toBeLessThan(2)
    expect(figure('rfa', 'averageGap')).toBeLessThan(1.5)
    expect(figure('rfa', 'ua')).toBeGreaterThan(95)
    expect(figure('rfa', 'averageGap')).toBeLessThan(figure('finetune', 'averageGap'))
    expect(figure('rfa', 'rte')).toBeLessThan(1)
  })

  test('two runs from empty stores give the same bytes in every blob and the same report digest', () => {
    const blobs = (directory: string) =>
      readdirSync(join(directory, '.zeroshift', 'store', 'blobs'), {
        recursive: true,
        encoding: 'utf8',
      }).sort()
    const [a = '', b = ''] = directories
    // A blob's name is the digest of its bytes.
    expect(blobs(a).length).toBeGreaterThan(20)
    expect(blobs(b)).toEqual(blobs(a))
    expect(second.digest).toBe(first.digest)
    expect(second.id).toBe(first.id)
  })

  test('the same run again computes nothing', () => {
    expect(again.stages).toEqual({ computed: 0, cached: first.stages.computed })
    expect(again.digest).toBe(first.digest)
    expect(again.results).toEqual(first.results)
    expect(again.seconds).toBeLessThan(first.seconds)
  })

  test('the report is one page that opens from disk, with its other formats beside it', () => {
    const folder = fileURLToPath(first.report)
    expect(readdirSync(folder).sort()).toEqual([
      'index.html',
      'outcomes.json',
      'report.json',
      'report.md',
      'results.csv',
      'results.tex',
    ])
    const html = readFileSync(join(folder, 'index.html'), 'utf8')
    expect(html).toContain('rfa')
    expect(html).not.toMatch(/<script|(src|href)="https?:|@import|url\(https?:/)
    const json = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as { digest: string }
    expect(json.digest).toBe(first.digest)
  })

  test('the report comes out byte for byte the same when rendered again', async () => {
    const folder = fileURLToPath(first.report)
    const before = readFileSync(join(folder, 'index.html'), 'utf8')
    expect((await zeroshiftHereWith({}, here, 'report', first.id)).code).toBe(0)
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toBe(before)
  })
})

test('the adapter is kept in the layout of PEFT beside the merged model', () => {
  const stages = join(directories[0] ?? '', '.zeroshift', 'store', 'stages', 'unlearn')
  const manifests = readdirSync(stages).map(
    (key) =>
      JSON.parse(readFileSync(join(stages, key, 'manifest.json'), 'utf8')) as {
        params: { method: { method: string } }
        outputs: Record<string, unknown>
      },
  )
  const rfa = manifests.find(({ params }) => params.method.method === 'rfa')
  expect(Object.keys(rfa?.outputs ?? {}).sort()).toEqual([
    'adapter_config.json',
    'adapter_model.safetensors',
    'model',
  ])
})
