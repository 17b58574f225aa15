import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { writeReport } from '../../../../activities/report.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { compare } from '../../../../cli/actions/compare.ts'
import { digestOf } from '../../../../common/canonical.ts'
import { plan } from '../../../../experiment/plan/plan.ts'
import { runId, type RunRecord } from '../../../../experiment/records/run.ts'
import { renderReport } from '../../../../report/report.ts'
import { captureOutput, type CapturedOutput } from '../../../support/output.ts'
import { testDirectory } from '../../../support/directories.ts'
import { linked } from '../../../support/linked.ts'
import { facts, sampleInput } from '../../report/fixtures.ts'

let directory: string
let stdout: CapturedOutput
beforeEach(() => {
  directory = testDirectory()
  stdout = captureOutput('stdout')
})

const store = () => join(directory, 'store')
const out = () => join(directory, 'out')

/** The first run has a report, the second, of another rank and seed, has none. */
async function twoRuns() {
  const artifacts = openArtifacts(store())
  const first = sampleInput()
  const spec = {
    ...first.run.spec,
    seed: { ...first.run.spec.seed, training: 7 },
    methods: first.run.spec.methods.map((method) =>
      method.method === 'rfa' && method.label === undefined ? { ...method, rank: 16 } : method,
    ),
  }
  const planned = plan(spec, facts)
  const second: RunRecord = { ...first.run, spec, plan: planned, id: runId(spec.name, planned) }
  await artifacts.putRun(first.run)
  await artifacts.putRun(second)
  const report = await renderReport(first)
  await artifacts.putReport(first.run.id, { 'index.html': report.html, 'report.json': report.json })
  return { artifacts, first, second, ids: [first.run.id, second.id] }
}

const written = (name: string) => readFileSync(join(out(), name), 'utf8')

test('says in what specs differ, and puts a report where it says', async () => {
  const { ids, first } = await twoRuns()
  expect(await compare(ids, { store: store(), out: out() })).toBe(0)
  expect(stdout.text).toMatch(/^ {2}seed\.training +1, 7$/m)
  expect(stdout.text).toMatch(/^ {2}methods\[3\]\.rank +4, 16$/m)
  expect(stdout.text).toMatch(new RegExp(`^${first.run.id} +1 +4 +rfa +0\\.25 \\*`, 'm'))
  expect(stdout.text).toContain(`Report: ${join(out(), 'index.html')}`)
  expect(written('index.html')).toContain(`../store/runs/${first.run.id}/report/index.html`)
  expect(written('report.md')).toContain('| training | seed.training | 1, 7 |')
})

test('a run without a report is missing, with the command that finishes it', async () => {
  const { ids, second } = await twoRuns()
  await compare(ids, { store: store(), out: out() })
  const reason = `it has no report yet: ./zeroshift resume ${second.id} --store ${store()} finishes it`
  expect(stdout.text).toContain(`${second.id} is missing: ${reason}`)
  expect(written('results.csv')).toContain(reason)
})

test('a report that is cut off is missing, with the command that writes it again', async () => {
  const { artifacts, ids, first } = await twoRuns()
  await artifacts.putReport(first.run.id, { 'report.json': '{"computed": {' })
  await compare(ids, { store: store(), out: out() })
  expect(written('results.csv')).toContain(`./zeroshift report ${first.run.id}`)
})

/** As somebody who edits a report and knows how its digest is made. */
async function forge(artifacts: Artifacts, id: string, withDigest: boolean): Promise<void> {
  const report = JSON.parse((await artifacts.reportJson(id)) ?? '') as {
    computed: { results: { label: string; metrics: Record<string, unknown> }[] }
    digest: string
  }
  for (const { label, metrics } of report.computed.results)
    if (label === 'finetune') metrics.averageGap = { value: 0.0625 }
  if (withDigest) report.digest = digestOf(report.computed)
  await artifacts.putReport(id, { 'report.json': JSON.stringify(report) })
}

test('a report that was changed is missing, and one whose digest was changed too is not what figures come from', async () => {
  const { artifacts, ids, first } = await twoRuns()
  await forge(artifacts, first.run.id, false)
  await compare(ids, { store: store(), out: out() })
  expect(stdout.text).toContain('this report was changed after it was written')
  expect(written('results.csv')).not.toContain('0.0625')

  for (const manifest of linked(Object.values(first.manifests))) await artifacts.commit(manifest)
  await writeReport(artifacts, first.run, [])
  await forge(artifacts, first.run.id, true)
  await compare(ids, { store: store(), out: out() })
  expect(written('results.csv')).toContain(',rfa,')
  expect(written('results.csv')).not.toContain('0.0625')
})

test('a report of other results than the store has is missing, with the command that writes it again', async () => {
  const { artifacts, ids, first } = await twoRuns()
  for (const manifest of linked(Object.values(first.manifests))) await artifacts.commit(manifest)
  await compare(ids, { store: store(), out: out() })
  expect(stdout.text).toContain('another result of the stage "split by class" than the store has')
  expect(stdout.text).toContain(`./zeroshift report ${first.run.id}`)
})

test('a run that is not there is refused, and those that are there are named', async () => {
  const { ids } = await twoRuns()
  const refused = compare([...ids, 'other'], { store: store(), out: out() })
  await expect(refused).rejects.toThrow(/has no run 'other'; it has digits-class-\w+, digits-class-\w+$/)
})

test('one run, named twice or not, is refused', async () => {
  const { first } = await twoRuns()
  await expect(compare([first.run.id, first.run.id], { store: store() })).rejects.toThrow(/name two or more/)
})

test('--json: the last line on standard output is the answer', async () => {
  const { ids, second } = await twoRuns()
  captureOutput('stderr')
  await compare(ids, { store: store(), out: out(), json: true })
  const answer = JSON.parse(stdout.text.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
  expect(answer).toMatchObject({
    report: join(out(), 'index.html'),
    digest: (JSON.parse(written('report.json')) as { digest: string }).digest,
    runs: [{ values: { rank: 4, training: 1 } }, { id: second.id, values: { rank: 16, training: 7 } }],
  })
})
