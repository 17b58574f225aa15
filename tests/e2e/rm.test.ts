import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { answerOf, endlessConfig, smallConfig, zeroshift, type Ended } from '../support/command.ts'
import { testDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { sharedStack } from '../support/shared-stack.ts'

const stack = sharedStack()
let directory: string
beforeEach(() => {
  directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  writeFileSync(join(directory, 'long.yaml'), endlessConfig)
  writeFileSync(
    join(directory, 'sweep.yaml'),
    'name: steps\nbase: small.yaml\ngrid: { "methods[1].steps": [20, 21] }\n',
  )
})

/** A command that uses the shared server. */
const command = (...args: readonly string[]): Promise<Ended> => stack.here(directory, ...args)
/** One that knows no other server than that of its directory. */
const offline = (...args: readonly string[]): Promise<Ended> => zeroshiftHereWith({}, directory, ...args)
const artifacts = () => openArtifacts(join(directory, '.zeroshift/store'))

async function done(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await command(...args, '--json')
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  return JSON.parse(stdout) as Record<string, unknown>
}

test('a run that goes on stays; one that has ended is removed with what only it needed', async () => {
  const own = answerOf((await command('run', 'small.yaml', '--json')).stdout).id
  const sweep = answerOf((await command('sweep', 'sweep.yaml', '--json')).stdout).id
  const going = answerOf((await command('run', 'long.yaml', '--json', '--detach')).stdout).id
  const cells = (await artifacts().sweep(sweep))?.cells.flatMap(({ runs }) => runs) ?? []
  expect(cells).toContain(own)
  await expect.poll(() => artifacts().runs(), { timeout: 60_000 }).toContain(going)

  expect(await done('rm', going)).toMatchObject({ busy: [going] })
  expect(await command('rm', going, own, '--delete')).toMatchObject({ code: 2 })
  const refused = await command('rm', going, '--delete')
  expect(refused.stderr).toMatch(new RegExp(`^${going} is being computed .*its workflow is open`))
  expect(await done('gc', '--keep-last', '1', '--delete')).toMatchObject({
    busy: expect.any(Array) as unknown,
  })
  expect(await artifacts().runs()).toContain(going)

  expect(await command('cancel', going)).toMatchObject({ code: 0 })
  expect(await done('rm', going, '--delete')).toMatchObject({ deleted: true, runs: [{ id: going }] })
  expect(await artifacts().runs()).not.toContain(going)
})

test('a sweep takes its cells along, but for one that was run by itself; its workflow is no obstacle', async () => {
  const own = answerOf((await command('run', 'small.yaml', '--json')).stdout).id
  const sweep = answerOf((await command('sweep', 'sweep.yaml', '--json')).stdout).id
  const cells = (await artifacts().sweep(sweep))?.cells.flatMap(({ runs }) => runs) ?? []
  expect(cells).toContain(own)
  const others = cells.filter((id) => id !== own)
  expect(others).toHaveLength(1)
  expect(await done('rm', sweep, '--cells')).toMatchObject({
    ...{ runs: others.map((id) => ({ id })), staying: [{ id: own }] },
  })
  await done('rm', sweep, '--cells', '--delete')
  expect(await artifacts().runs()).toEqual([own])
  expect(await command('check')).toMatchObject({ code: 0 })
  // What it shares with the run is there, and the rest is younger than a day.
  const again = answerOf((await command('run', 'small.yaml', '--json')).stdout)
  expect(again.stages.computed).toBe(0)
})

test('a run that was interrupted is removed with its workflow, which does not come back', async () => {
  const running = zeroshift(directory, 'run', 'long.yaml', '-S', 'heartbeatSeconds=4')
  const runs = () => artifacts().runs()
  await expect.poll(runs, { timeout: 60_000 }).toHaveLength(1)
  const [id = ''] = await runs()
  const leases = async () =>
    (await artifacts().store.list('stages/')).filter(({ path }) => path.includes('/lease/'))
  await expect.poll(leases, { timeout: 60_000 }).not.toEqual([])
  running.child.kill('SIGKILL')
  await running.ended
  expect((await zeroshift(directory, 'status').ended).stdout).toMatch(
    new RegExp(`${id} +experiment +interrupted`),
  )

  // The lease shows no life for two heartbeats.
  await expect
    .poll(async () => (await offline('rm', id, '--delete')).code, { timeout: 200_000, interval: 2_000 })
    .toBe(0)
  expect(await runs()).toEqual([])
  expect((await zeroshift(directory, 'status').ended).stdout).not.toMatch(
    new RegExp(`${id} +experiment +interrupted`),
  )
  // Another run here has a worker, which does not go on with the removed one.
  // It waits for two of its heartbeats for the stage that the killed worker had.
  const args = ['run', 'small.yaml', '--json', '-S', 'heartbeatSeconds=4']
  answerOf((await zeroshift(directory, ...args).ended).stdout)
  expect((await runs()).map((run) => run.split('-')[0])).toEqual(['small'])
  expect(await offline('check')).toMatchObject({ code: 0 })
})
