import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { prepare } from '../../../cli/launch/prepare.ts'
import { readConfig } from '../../../cli/launch/read-config.ts'
import { ensureSearchAttributes } from '../../../cli/server/search-attributes.ts'
import { controlWith } from '../../../cli/ui/control.ts'
import { LiveConnection, liveServer } from '../../../cli/ui/live-server.ts'
import { searchAttributesOf } from '../../../experiment/records/search-attributes.ts'
import type { RunInput } from '../../../experiment/records/run.ts'
import { paths, type RunEntry, type RunList, type RunView, type Session } from '../../../ui/contract.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { smallConfig } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { temporalServer, withWorker } from '../../support/temporal.ts'
import { offline, uiServer } from '../../support/ui-server.ts'

let store: string
let input: RunInput
beforeAll(async () => {
  const directory = fileDirectory()
  const config = join(directory, 'small.yaml')
  writeFileSync(config, smallConfig)
  store = `file://${join(directory, 'store')}`
  const source = { config, overrides: ['training.epochs=150'], store }
  input = await prepare(source, await readConfig(source))
})

/** Listens to events. Returns the newest state that they tell. */
function listening(url: string) {
  const runs = new Map<string, RunEntry>()
  const counts = new Map<string, number>()
  const state: { temporal?: string | undefined; stages: number } = { stages: 0 }
  const request = get(url, (response) => {
    let rest = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\n\n')
      rest = messages.pop() ?? ''
      for (const message of messages) {
        const [, event = '', data = '{}'] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? []
        counts.set(event, (counts.get(event) ?? 0) + 1)
        const value = JSON.parse(data) as Partial<RunList> & { address?: string; stages?: readonly object[] }
        if (event === 'temporal') state.temporal = value.address
        if (event === 'run') state.stages = value.stages?.length ?? 0
        for (const run of value.runs ?? []) runs.set(run.id, run)
      }
    })
  })
  request.on('error', () => undefined)
  return { runs, counts, state, close: () => request.destroy() }
}

test('the page follows a run, pauses and resumes it, and notices when the server goes', async () => {
  const { id } = input.run
  const temporal = await temporalServer()
  const connection = new LiveConnection(temporal.address)
  const artifacts = openArtifacts(store)
  const { server, ask, url } = await uiServer(artifacts.store, {
    operations: {
      ...offline,
      live: liveServer(connection),
      control: controlWith({ store, temporal: temporal.address }),
    },
  })
  const events = listening(`${url}/${paths.events({ run: id })}`)
  try {
    const { token = '' } = (await ask(paths.session())).json() as Session
    const change = async (action: 'pause' | 'resume') =>
      (await ask(paths.control(id, action), { 'x-zeroshift-token': token }, {})).status
    await expect.poll(() => events.state.temporal, { timeout: 60_000 }).toBe(temporal.address)
    await ensureSearchAttributes(temporal.client)
    await withWorker(temporal.address, createActivities(), async () => {
      const handle = await temporal.client.workflow.start(workflowType, {
        ...{ workflowId: workflowId(id), taskQueue: 'zeroshift', args: [input] },
        typedSearchAttributes: searchAttributesOf(input.run),
      })
      await expect.poll(() => events.runs.get(id)?.stages.running, { timeout: 120_000 }).toBeGreaterThan(0)
      expect(events.runs.get(id)?.state).toBe('running')
      expect(await change('pause')).toBe(200)
      await expect.poll(() => events.runs.get(id)?.state, { timeout: 60_000 }).toBe('paused')
      const half = (await ask(paths.run(id))).json() as RunView
      expect(half.progress?.stages.map(({ title }) => title)).toContain('train original')
      expect(half.digest).toBeUndefined()
      expect(half.document.title).toBe('small')
      expect(await change('resume')).toBe(200)
      await handle.result()
      await expect
        .poll(() => events.runs.get(id), { timeout: 60_000 })
        .toMatchObject({
          ...{ state: 'completed', hasReport: true, dataset: 'digits', failures: [] },
        })
      const whole = (await ask(paths.run(id))).json() as RunView
      const report = JSON.parse((await artifacts.reportJson(id)) ?? '') as { readonly digest: string }
      expect(whole.digest).toBe(report.digest)
      expect(events.state.stages).toBe(half.progress?.stages.length)
    })
    await temporal.stop()
    await expect.poll(() => events.state.temporal, { timeout: 120_000 }).toBeUndefined()
    expect(events.runs.get(id)?.state).toBe('completed')
  } finally {
    events.close()
    await server.close()
    await connection.close()
  }
})
