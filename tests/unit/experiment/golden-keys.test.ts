import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Plan } from '../../../experiment/plan/types.ts'
import { runId } from '../../../experiment/records/run.ts'
import type { Spec } from '../../../experiment/spec/spec.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { findDataDirectory } from '../../../activities/inputs/data-directory.ts'
import { inspectDataset } from '../../../datasets/index.ts'
import { accepted, acceptedPoints, factsOf, folder, sweeps } from './shipped.ts'

/**
 * The keys that published results are kept under. A change here makes every shipped experiment
 * compute again: it needs a raised version, and never comes from moving code about.
 */

const yaml = (directory: URL) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
const textOf = (directory: URL, file: string) => readFileSync(new URL(file, directory), 'utf8')

/**
 * Digits are planned with the facts of the shipped files, other data sets with facts that stand for
 * theirs.
 */
async function planned(spec: Spec): Promise<Plan> {
  if (spec.data.name !== 'digits') return plan(spec, factsOf(spec))
  return plan(spec, await inspectDataset(spec.data, await findDataDirectory(spec.data, {})))
}

async function idOf(spec: Spec): Promise<string> {
  return runId(spec.name, await planned(spec))
}

test('shipped configs keep the ids of their runs', async () => {
  const experiments = yaml(folder).map((file) => accepted(file, textOf(folder, file)))
  const bases = new URL('bases/', sweeps)
  const points = [
    ...yaml(sweeps).flatMap((file) => acceptedPoints(file, textOf(sweeps, file))),
    ...yaml(bases).map((file) => accepted(file, textOf(bases, file))),
  ]
  const ids = await Promise.all([...experiments, ...points].map(idOf))
  await expect(`${JSON.stringify(ids, null, 2)}\n`).toMatchFileSnapshot('golden/run-ids.json')
})

test.each(['digits-class.yaml', 'digits-random.yaml'])('%s keeps the key of every stage', async (file) => {
  const stages = stagesOf(await planned(accepted(file, textOf(folder, file))))
  const keys = Object.fromEntries(stages.map(({ title, key }) => [title, key.slice(0, 12)]))
  await expect(`${JSON.stringify(keys, null, 2)}\n`).toMatchFileSnapshot(
    `golden/${file.replace('.yaml', '.json')}`,
  )
})
