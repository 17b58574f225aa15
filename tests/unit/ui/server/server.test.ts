import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { parse } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Artifacts } from '../../../../artifacts/artifacts.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { renderRun } from '../../../../activities/report.ts'
import type {
  ControlAction,
  ControlRequest,
  RunList,
  RunView,
  Session,
  SweepReport,
  SweepView,
} from '../../../../ui/contract.ts'
import { paths } from '../../../../ui/contract.ts'
import { cellsOf } from '../../../../ui/sweep-columns.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { madeRuns, madeSweep, makeStore } from '../../../support/made-store.ts'
import { offline, uiServer } from '../../../support/ui-server.ts'

const token = 'a-secret-of-24-characters'
const script = 'globalThis.page = 1\n'.repeat(50)
const changes: { readonly id: string; readonly action: ControlAction; readonly request: ControlRequest }[] =
  []
let store: FileStore
let open: Awaited<ReturnType<typeof uiServer>>
let closed: Awaited<ReturnType<typeof uiServer>>

beforeAll(async () => {
  const directory = fileDirectory()
  store = new FileStore(join(directory, 'store'))
  await makeStore(store, { runs: [0, 1, 2], reported: [0, 1], sweep: true, own: [2] })
  await new Artifacts(store).putLabels(madeRuns[0]?.id ?? '', { tags: ['paper'], note: 'the first' })
  const page = join(directory, 'page')
  await mkdir(join(page, 'assets'), { recursive: true })
  await mkdir(join(page, 'users'))
  await writeFile(join(page, 'index.html'), '<!doctype html><!-- answers --><script src="page.js"></script>')
  await writeFile(join(page, 'page.js'), script)
  await writeFile(join(page, 'page.js.br'), brotliCompressSync(script))
  await writeFile(join(page, 'assets', 'chart-1a2b3c4d.js'), '1')
  await writeFile(join(page, 'users', '123'), 'the id of a process')
  await writeFile(join(directory, 'secret.txt'), 'not for anybody')
  await symlink(join(directory, 'secret.txt'), join(page, 'link.txt'))
  open = await uiServer(store, { page })
  closed = await uiServer(store, {
    ...{ page, token },
    operations: {
      ...offline,
      control: (id, action, request) => {
        changes.push({ id, action, request })
        return Promise.resolve({ message: 'done' })
      },
    },
  })
})
afterAll(async () => {
  await Promise.all([open.server.close(), closed.server.close()])
})

describe('the answers', () => {
  it('of a session say what is served', async () => {
    const { status, headers, json } = await open.ask(paths.session())
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    expect(json()).toEqual({ version: '9.9.9', store: store.url } satisfies Session)
  })

  it('of runs have those of the store with their states, sweeps, tags and stages', async () => {
    const { runs } = (await open.ask(paths.runs())).json() as RunList
    const byId = new Map(runs.map((run) => [run.id, run]))
    expect([...byId.keys()].sort()).toEqual(madeRuns.map(({ id }) => id).sort())
    const [first, , third] = madeRuns
    expect(byId.get(first?.id ?? '')).toMatchObject({
      ...{ state: 'completed', dataset: 'digits', model: 'cnn', split: 'the class “3”', sweep: madeSweep },
      ...{
        tags: ['paper'],
        note: 'the first',
        hasReport: true,
        stages: { all: 24, done: 24, running: 0, failed: 0 },
      },
    })
    // It has no report, but the results of all of its stages.
    expect(byId.get(third?.id ?? '')).toMatchObject({ state: 'completed', hasReport: false })
  })

  it('of a run have the figures and the digest of its report', async () => {
    const [run] = madeRuns
    if (!run) throw new Error('there is no made run')
    const view = (await open.ask(paths.run(run.id))).json() as RunView
    const { digest, results } = await renderRun(new Artifacts(store), run, [])
    expect(view.digest).toBe(digest)
    expect(view.rows).toEqual(results)
    expect(view.document.title).toBe(run.spec.name)
    expect(parse(view.config)).toEqual(run.spec)
    expect(view.tables.csv.split('\r\n')).toHaveLength(results.length + 2)
    expect(view.tables.latex).toContain(digest)
  })

  it('of a sweep and a comparison have the runs of the store', async () => {
    const view = (await open.ask(paths.sweep(madeSweep))).json() as SweepView
    const cells = cellsOf(view.cells)
    expect(view.reading).toBeUndefined()
    expect(cells.map(({ run }) => run)).toEqual(madeRuns.map(({ id }) => id))
    const report = JSON.parse((await new Artifacts(store).reportJson(madeRuns[0]?.id ?? '')) ?? '') as {
      readonly computed: {
        readonly results: readonly { label: string; metrics: { averageGap: { value: number } } }[]
      }
    }
    const gaps = new Map(
      report.computed.results.map(({ label, metrics }) => [label, metrics.averageGap.value]),
    )
    expect(cells[0]?.rows.length).toBeGreaterThan(0)
    for (const { label, gap } of cells[0]?.rows ?? []) expect(gap).toBe(gaps.get(label))
    expect((await open.ask(paths.sweeps())).json()).toMatchObject({ sweeps: [{ id: madeSweep, cells: 3 }] })
    const compared = (await open.ask(paths.sweepReport(madeSweep))).json() as SweepReport
    for (const { id } of madeRuns) expect(JSON.stringify(compared.document)).toContain(id)
    expect(compared.tables.csv).toContain(madeRuns[0]?.id)
    const both = madeRuns.slice(0, 2).map(({ id }) => id)
    expect((await open.ask(paths.comparison(both))).json()).toMatchObject({ runs: [...both].sort() })
  })

  it.each([
    [paths.run('none-01234567'), 404],
    [paths.run('..'), 422],
    ['api/runs/..%2f..%2fetc', 422],
    [paths.sweep('none-01234567'), 404],
    [paths.sweepReport('none-01234567'), 404],
    [paths.comparison(['one-01234567']), 400],
    ['api/nothing', 404],
  ])('%s is refused with a reason', async (path, status) => {
    const answer = await open.ask(path)
    expect(answer.status).toBe(status)
    expect(answer.json()).toHaveProperty('error')
    expect(open.errors).toEqual([])
  })
})

describe('the files of the page', () => {
  it('have an ETag, and are sent once', async () => {
    const first = await open.ask('')
    expect(first.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(first.headers['cache-control']).toBe('no-cache')
    const again = await open.ask('', { 'if-none-match': String(first.headers.etag) })
    expect([again.status, again.bytes.length]).toEqual([304, 0])
  })

  it('are compressed for a browser that accepts it', async () => {
    const plain = await open.ask('page.js')
    const compressed = await open.ask('page.js', { 'accept-encoding': 'gzip, br;q=0.9' })
    expect(plain.bytes.toString()).toBe(script)
    expect(compressed.headers['content-encoding']).toBe('br')
    expect(compressed.bytes).toEqual(brotliCompressSync(script))
  })

  it('are kept by browsers if their names have a digest', async () => {
    const { headers } = await open.ask('assets/chart-1a2b3c4d.js')
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable')
  })

  it.each([
    '../secret.txt',
    '%2e%2e/secret.txt',
    '..%2fsecret.txt',
    'link.txt',
    'users/123',
    'assets',
    'page.js.br',
  ])('%s is none of them', async (path) => {
    const { status, bytes } = await open.ask(path)
    expect(status).toBe(404)
    expect(bytes.toString()).not.toContain('not for anybody')
  })
})

describe('every answer', () => {
  it.each(['', 'page.js', paths.session(), 'api/nothing', 'nothing'])(
    'to %s has the security headers',
    async (path) => {
      const { headers } = await open.ask(path)
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
    },
  )

  it.each(['', paths.runs(), paths.events()])('to %s is refused to another Host', async (path) => {
    expect((await open.ask(path, { host: 'evil.example' })).status).toBe(403)
  })

  it.each([paths.runs(), paths.events(), '%61pi/runs'])(
    'to %s is refused to a page of another site',
    async (path) => {
      expect((await open.ask(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    },
  )
})

describe('a server with a token', () => {
  const entered = async () =>
    String((await closed.ask(`?token=${token}`)).headers['set-cookie']).split(';')[0] ?? ''

  it.each([
    '',
    'page.js',
    paths.runs(),
    paths.events(),
    paths.run('x'),
    'api/exports/x.zip',
    '?token=wrong-secret-00',
  ])('answers %s to nobody else', async (path) => {
    const { status, headers } = await closed.ask(path)
    expect([401, 303]).toContain(status)
    expect(headers['set-cookie']).toBeUndefined()
  })

  it('lets a browser in, and takes the token from the address', async () => {
    const { status, headers } = await closed.ask(`?token=${token}`)
    expect([status, headers.location]).toEqual([303, './'])
    const cookie = await entered()
    expect((await closed.ask('', { cookie })).status).toBe(200)
    expect((await closed.ask(paths.runs(), { cookie })).status).toBe(200)
    expect((await closed.ask(paths.runs(), { authorization: `Bearer ${token}` })).status).toBe(200)
  })

  it('changes a run for its own page alone', async () => {
    const cookie = await entered()
    const session = (await closed.ask(paths.session(), { cookie })).json() as Session
    const path = paths.control('small-01234567', 'pause')
    const own = { cookie, 'x-zeroshift-token': session.token ?? '' }
    expect((await closed.ask(path, { cookie }, {})).status).toBe(403)
    expect((await closed.ask(path, { 'x-zeroshift-token': session.token ?? '' }, {})).status).toBe(401)
    expect((await closed.ask(path, { ...own, origin: 'http://evil.example' }, {})).status).toBe(403)
    expect((await closed.ask(path, own, { atMost: 'many' })).status).toBe(400)
    expect((await closed.ask('api/runs/small-01234567/explode', own, {})).status).toBe(404)
    expect((await closed.ask(path, own, { long: 'x'.repeat(20_000) })).status).toBe(413)
    expect(changes).toEqual([])
    const { status, json } = await closed.ask(path, own, { confirmed: true })
    expect([status, json()]).toEqual([200, { message: 'done' }])
    expect(changes).toEqual([{ id: 'small-01234567', action: 'pause', request: { confirmed: true } }])
  })

  it('that may only read changes nothing', async () => {
    expect((await open.ask(paths.control('small-01234567', 'cancel'), {}, {})).status).toBe(403)
  })
})
