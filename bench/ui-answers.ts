/**
 * The time that the server of `zeroshift ui` takes to answer about a large sweep: the first time,
 * when it reads the records and reports of all cells, and from then on. It answers about the cells
 * before it has read all reports: `all ms` is the time until an answer has all figures. All cells
 * have the record and the report of one run, which is read from a directory that is a store.
 *
 *     npx tsx bench/ui-answers.ts STORE RUN [CELLS]
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Artifacts } from '../artifacts/artifacts.ts'
import { FileStore } from '../artifacts/store/file-store.ts'
import { mapConcurrently } from '../common/concurrency.ts'
import { jsonBytes } from '../common/json.ts'
import { runId } from '../experiment/records/run.ts'
import type { SweepRecord } from '../experiment/sweep/sweep.ts'
import { paths, type SweepView } from '../ui/contract.ts'
import { startUiServer } from '../ui/server/server.ts'

const [, , from, id, count = '5000'] = process.argv
if (from === undefined || id === undefined)
  throw new Error('expected a directory with a store, and the id of a run in it')
const cells = Number(count)
const directory = mkdtempSync(join(tmpdir(), 'zeroshift-ui-'))
try {
  const store = new FileStore(directory)
  const artifacts = new Artifacts(store)
  cpSync(from, directory, { recursive: true })
  const run = await artifacts.run(id)
  const report = await store.get(`runs/${id}/report/report.json`)
  if (!run || !report) throw new Error(`the store ${from} has no report of a run ${id}`)
  const names = Array.from({ length: cells }, (_, i) => `cell-${i}`)
  const ids = names.map((name) => runId(name, run.plan))
  await mapConcurrently(names, async (name) => {
    const id = runId(name, run.plan)
    const record = { ...run, id, spec: { ...run.spec, name }, failed: [] }
    await store.put(`runs/${id}/run.json`, jsonBytes(record))
    await store.put(`runs/${id}/report/report.json`, report)
  })
  const sweep: SweepRecord = {
    ...{ id: 'large-01234567', name: 'large', command: { config: 'large.yaml', overrides: [] } },
    columns: [
      { name: 'rank', path: 'methods[0].rank' },
      { name: 'lambda', path: 'methods[0].lambda' },
    ],
    space: { maxParallel: 4 } as SweepRecord['space'],
    cells: ids.map((id, i) => ({ values: [i % 10, Math.floor(i / 10) / 100], runs: [id] })),
    failures: [],
  }
  await artifacts.putSweep(sweep)
  const server = await startUiServer({
    ...{ artifacts, host: '127.0.0.1', port: 0, version: '', store: store.url },
    operations: {
      live: () => Promise.resolve(undefined),
      estimate: () => Promise.resolve(new Map()),
      lastCheck: () => Promise.resolve(undefined),
    },
    onError: (error) => {
      console.error(error)
    },
  })
  for (const path of [
    paths.runs(),
    paths.sweeps(),
    paths.sweep(sweep.id),
    paths.sweepReport(sweep.id),
    paths.run(ids[0] ?? ''),
    paths.store(),
  ]) {
    const times: number[] = []
    let bytes = 0
    let [requests, whole] = [0, 0]
    const start = performance.now()
    while (times.length < 6) {
      const began = performance.now()
      const text = await (await fetch(`http://127.0.0.1:${server.port}/${path}`)).text()
      requests += 1
      bytes = Buffer.byteLength(text)
      if (requests === 1) times.push(performance.now() - began)
      else if (whole > 0) times.push(performance.now() - began)
      if (whole === 0 && (JSON.parse(text) as Partial<SweepView>).reading === undefined)
        whole = performance.now() - start
    }
    const [first = 0, ...later] = times.map(Math.round)
    console.log(
      JSON.stringify({ path, bytes, 'first ms': first, 'all ms': Math.round(whole), 'later ms': later }),
    )
  }
  console.log(JSON.stringify({ 'MB of heap': Math.round(process.memoryUsage().heapUsed / 1e6) }))
  await server.close()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
