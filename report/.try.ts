import { readFileSync, writeFileSync, readdirSync } from 'node:fs'
const R = '/work/main/'
const { parseConfig } = await import(R + 'experiment/config.ts')
const { inspectDataset } = await import(R + 'learning/datasets/index.ts')
const { plan } = await import(R + 'experiment/plan.ts')
const { stagesOf } = await import(R + 'experiment/stage-list.ts')
const { renderReport } = await import(R + 'report/report.ts')
const { renderTable } = await import(R + 'report/table.ts')
const file = R + 'configs/experiments/digits-class.yaml'
const parsed = parseConfig({ file, text: readFileSync(file, 'utf8'), overrides: [] })
const facts = await inspectDataset(parsed.spec.data, R + 'data/digits')
const p = plan(parsed.spec, facts)
const manifests: any = {}
for (const s of stagesOf(p) as any) { try {
  const m = JSON.parse(readFileSync(`/tmp/zs-digits/stages/${s.kind}/${s.key}/manifest.json`, 'utf8'))
  m.clock = { seconds: m.clock.seconds, finishedAt: '2025-11-24T11:11:11Z', environment: { zeroshift: '0.1.0', node: 'v20.20.2', platform: 'linux-x64', ...(/train|unlearn|evaluate/.test(s.kind) ? { tensorflow: { version: '2.9.1', device: 'CPU', threads: 2 } } : {}) } }
  manifests[s.key] = m } catch (e) { console.log('missing', s.title) } }
let failed: any = []
if (process.argv[2] === 'fail') { const c = p.candidates[4]; delete manifests[c.unlearn.key]; for (const s of [c.evaluate, c.attack, c.compare]) delete manifests[s.key]; failed = [{ title: c.unlearn.title, reason: 'the loss is not finite (NaN) at step 2 of 3; lower the learning rate (0.02)' }]; const g = p.reference.evaluate.key; manifests[g].metrics.accuracy.forget = { value: 1.61 } }
const run = { id: 'digits-class-1a2b3c4d', spec: parsed.spec, facts, plan: p, command: { config: 'configs/experiments/digits-class.yaml', overrides: [] } }
for (let i = 0; i < 3; i++) {
const t = performance.now()
const r = await renderReport({ run, manifests, failed })
console.log('ms', (performance.now() - t).toFixed(0), 'bytes', r.html.length)
writeFileSync('/tmp/report.html', r.html); writeFileSync('/tmp/report.md', r.markdown); writeFileSync('/tmp/report.json', r.json)
if (i === 2) console.log(renderTable(r.results, { colour: true })), console.log(r.digest) }
