import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { openStore } from '../../artifacts/store/open-store.ts'
import { sha256 } from '../../common/canonical.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { answerOf, type Answer } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { hubServer } from '../support/hub.ts'
import { forFile } from '../support/release.ts'
import { s3Place } from '../support/s3.ts'
import { sharedStack } from '../support/shared-stack.ts'
import { tensorsOf, tinyResnet, writeCheckpoint } from '../support/tiny-checkpoint.ts'

/**
 * Models that were made elsewhere, at each kind of place: directories, a bucket of a real S3 server
 * and repositories of a server with the hub's API. No model of these runs is trained.
 */
const models = ['original', 'gold', 'gold-2', 'row'] as const
type Model = (typeof models)[number]
const files = ['config.json', 'model.safetensors']

let directory: string
let bucket: string
let env: Readonly<Record<string, string>>
const commits: Readonly<Record<Model, string>> = {
  original: '1'.repeat(40),
  gold: '2'.repeat(40),
  'gold-2': '3'.repeat(40),
  row: '4'.repeat(40),
}

beforeAll(async () => {
  directory = fileDirectory()
  const { url } = await forFile(s3Place())
  const hub = await forFile(hubServer('owner/name'))
  bucket = url
  for (const [seed, model] of models.entries()) {
    const folder = writeCheckpoint(join(directory, model), tinyResnet, {
      tensors: tensorsOf(tinyResnet, 10, seed),
    })
    const published = files.map((path) => ({ path, content: readFileSync(join(folder, path)) }))
    for (const { path, content } of published) await openStore(`${bucket}/${model}`).put(path, content)
    hub.publish(model, commits[model], published)
  }
  env = {
    HF_ENDPOINT: hub.url,
    HF_HOME: join(directory, 'hub'),
    NO_PROXY: '127.0.0.1',
    ZEROSHIFT_CACHE: ownCache(),
  }
})
const stack = sharedStack(() => env)

/** A cache with the installed programs of the usual one, and with downloads of its own. */
function ownCache(): string {
  const cache = join(directory, 'cache')
  mkdirSync(cache)
  for (const entry of readdirSync(cacheDirectory(), { withFileTypes: true }))
    if (entry.isDirectory() && !['blobs', 'sources'].includes(entry.name))
      symlinkSync(join(cacheDirectory(), entry.name), join(cache, entry.name))
  return cache
}

const config = (name: string, place: (model: Model) => string) => `
name: ${name}
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: pretrained }
original: { from: ${place('original')} }
training: { epochs: 1, batchSize: 64, tune: { what: head } }
gold: { from: ['${place('gold')}', '${place('gold-2')}'] }
methods:
  - method: retrain
  - { method: weights, label: row, from: '${place('row')}' }
`

async function run(name: string, place: (model: Model) => string): Promise<Answer> {
  const folder = join(directory, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'given.yaml'), config(name, place))
  const ended = await stack.here(folder, 'run', 'given.yaml', '--json')
  expect(ended.code, ended.stderr).toBe(0)
  const answer = answerOf(ended.stdout)
  expect(answer).toMatchObject({ status: 'completed', failed: [] })
  return answer
}

/** Verifies a copy of a run's report in a folder that has nothing else. */
function verifyCopy(name: string, id: string, ...args: readonly string[]) {
  const folder = join(directory, `${name}-elsewhere`)
  mkdirSync(folder, { recursive: true })
  copyFileSync(
    join(directory, name, '.zeroshift/store/runs', id, 'report/report.json'),
    join(folder, 'report.json'),
  )
  return stack.here(folder, 'verify', 'report.json', '--json', ...args)
}

/** The digests of the models of a run's rows, by their labels. */
async function modelsOf(name: string, id: string): Promise<Readonly<Record<string, string>>> {
  const artifacts = openArtifacts(`file://${join(directory, name, '.zeroshift/store')}`)
  const { plan } = (await artifacts.run(id)) ?? {}
  const refs: [string, StageRef<'train'> | undefined][] = [
    ['original', plan?.original],
    ['gold', plan?.gold[0]],
    ['gold-2', plan?.gold[1]],
    ['row', plan?.candidates.find(({ label }) => label === 'row')?.given?.model],
  ]
  const digests = refs.map(async ([label, ref]) => {
    const manifest = ref && (await artifacts.manifest<'train'>(ref))
    return [label, manifest?.outputs.model?.sha256 ?? ''] as const
  })
  return Object.fromEntries(await Promise.all(digests))
}

let here: { readonly id: string; readonly digests: Readonly<Record<string, string>> }

test('the original, two gold models and a row are taken from directories', async () => {
  const { id, results } = await run('directories', (model) => `../${model}`)
  here = { id, digests: await modelsOf('directories', id) }
  expect(new Set(Object.values(here.digests))).toHaveLength(4)
  // The second gold model gives the floor.
  expect(results.map(({ method }) => method)).toEqual(['retrain', 'row', 'retrain, gold 2'])
  expect(results.map(({ metrics }) => typeof metrics.averageGap)).toEqual(['number', 'number', 'number'])
})

test('the same files in a bucket and in repositories of the hub are the same models', async () => {
  const { id } = await run('urls', (model) =>
    model === 'original' || model === 'gold-2' ? `${bucket}/${model}` : `hf://owner/name@${model}`,
  )
  expect(await modelsOf('urls', id)).toEqual(here.digests)
  // The digests of the files are in the keys, and the places are not.
  expect(id.replace('urls-', '')).toBe(here.id.replace('directories-', ''))
  const report = readFileSync(join(directory, 'urls/.zeroshift/store/runs', id, 'report/report.json'), 'utf8')
  // A branch is recorded as the commit that it named.
  for (const place of [
    `hf://owner/name@${commits.gold}`,
    `hf://owner/name@${commits.row}`,
    `${bucket}/original`,
  ])
    expect(report).toContain(place)

  // The report alone names all places.
  const { code, stdout, stderr } = await verifyCopy('urls', id)
  expect(code, stderr).toBe(0)
  expect(answerOf(stdout)).toMatchObject({ status: 'verified' })
})

test('verify finds the models of directories by --given alone, and refuses others', async () => {
  const { id } = here
  const given = (...places: readonly string[]) => places.flatMap((place) => ['--given', place])
  const missing = await verifyCopy('directories', id, ...given('../original', '../gold', `${bucket}/row`))
  expect(missing.code).toBe(2)
  const digest = sha256(readFileSync(join(directory, 'gold-2/model.safetensors')))
  expect(missing.stderr).toContain(`model.safetensors (SHA-256 ${digest}) was found in no place`)
  expect(missing.stderr).toContain('--given')

  const all = ['../row', '../gold-2', `hf://owner/name@gold`, '../original']
  const { code, stdout, stderr } = await verifyCopy('directories', id, ...given(...all))
  expect(code, stderr).toBe(0)
  expect(answerOf(stdout)).toMatchObject({ status: 'verified' })
})
