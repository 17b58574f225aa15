import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import type { Outcomes } from '../../experiment/records/outcomes.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import { seedsOf } from '../../experiment/stages/stage-list.ts'
import { answerOf } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import {
  configOf,
  lineReader,
  lineSamples,
  scaledMargin,
  scaledMean,
  smallNet,
  writeFiles,
} from '../support/plugins.ts'
import { sharedStack } from '../support/shared-stack.ts'

const stack = sharedStack()

/** An experiment whose data, model, shift target and score are plug-ins beside its config. */
let folder: string
let stdout: string
beforeAll(async () => {
  folder = writeFiles(fileDirectory(), {
    'own.yaml': configOf(
      {
        data: '{ name: ./parts/lines.ts, from: lines, brightness: 0.5, validation: 0.1 }',
        model: '{ name: ./parts/net.ts, width: 6 }',
        more: 'attack: { scores: [{ score: ./parts/margin.ts, scale: 2 }] }\nprobe: {}\n',
      },
      'method: retrain',
      '{ method: rfa, target: { name: ./parts/mean.ts, scale: 1 }, steps: 3, layers: [conv2, head], rank: 1, label: own }',
      '{ method: rfa, target: retained-mean, steps: 3, layers: [conv2, head], rank: 1, label: built-in }',
    ).replace('classes: [3]', 'classes: [dark]'),
    'parts/lines.ts': lineReader,
    'parts/net.ts': smallNet,
    'parts/mean.ts': scaledMean,
    'parts/margin.ts': scaledMargin,
    'lines/train.txt': lineSamples(120),
    'lines/test.txt': lineSamples(60),
  })
  const run = await stack.here(folder, 'run', 'own.yaml', '--json')
  expect(run.code, run.stderr).toBe(0)
  ;({ stdout } = run)
})

test('its stages are all computed', () => {
  expect(answerOf(stdout)).toMatchObject({ status: 'completed', failed: [] })
})

test('the target of a plug-in gives the bytes of the target that it copies, and the score has figures', async () => {
  const artifacts = openArtifacts(join(folder, '.zeroshift/store'))
  const [id = ''] = await artifacts.runs()
  const record = await artifacts.run(id)
  if (!record) throw new Error('the store has no run')
  const [seed] = seedsOf(record.plan)
  const rows = seed?.candidates.filter(({ unlearn }) => unlearn) ?? []
  const models = await Promise.all(
    rows.map(async ({ unlearn }) => unlearn && (await artifacts.manifest(unlearn))?.outputs.model),
  )
  expect(models).toHaveLength(2)
  expect(models[0]).toBeDefined()
  expect(models[0]).toEqual(models[1])
  const [attack] = await Promise.all(rows.map(async ({ attack }) => artifacts.manifest(attack)))
  expect(Object.keys(attack?.metrics.efficacy.svm ?? {})).toContain('scaled-margin')
  expect(attack?.metrics.accuracy.logistic['scaled-margin']).toEqual({ value: expect.any(Number) as number })
  expect(attachmentsOf(record.plan)).toHaveLength(3)

  const report = (name: string) =>
    readFileSync(join(folder, '.zeroshift/store/runs', id, 'report', name), 'utf8')
  const { models: judged } = JSON.parse(report('outcomes.json')) as Outcomes
  const curve = attack?.metrics.curves?.['scaled-margin']
  expect(curve).toHaveProperty('auc')
  expect(judged.find(({ label }) => label === 'own')?.attacks).toContainEqual({
    attack: 'plugin:scaled-margin',
    ...curve,
  })

  const page = report('index.html')
  expect(page).toContain('scaled-margin: ROC curves on logarithmic axes')
  for (const { sha256 } of attachmentsOf(record.plan)) expect(page).toContain(sha256)
  expect(page).toContain('plug-in small-net')
  expect(page).toContain('scaled-margin')
})

test('the run can be verified, with the plug-ins of its report', async () => {
  const { id } = answerOf(stdout)
  const { code, stdout: told, stderr } = await stack.here(folder, 'verify', id, '--json')
  expect(code, stderr).toBe(0)
  expect(answerOf(told)).toMatchObject({ id, status: 'verified' })
})
