import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll } from 'vitest'
import { ensureTemporal } from '../../infra/temporal.mjs'
import { startStack } from '../../stack/stack.ts'
import { zeroshiftWith, type Running } from './command.ts'
import { afterFile } from './release.ts'

export interface SharedStack {
  /** Starts `./zeroshift` in a directory. A run that it starts is computed by the shared worker. */
  readonly zeroshift: (directory: string, ...args: readonly string[]) => Running
}

/**
 * Starts a Temporal server and a worker before the first test of a file, for all of its commands.
 * Otherwise each command starts both, which takes longer than a small run. `env` is
 * read when the worker starts, and both the worker and the commands get it.
 *
 * Commands with the same store may share the stack, and so may those with stores of their own,
 * unless two of them compute the same run at the same time: a run has one workflow on a server.
 * Tests of what starts and stops with a command do not use it.
 */
export function sharedStack(env: () => NodeJS.ProcessEnv = () => ({})): SharedStack {
  let given: NodeJS.ProcessEnv = {}
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'zeroshift-stack-'))
    afterFile(() => {
      rmSync(directory, { recursive: true, force: true })
    })
    const variables = env()
    const stack = await withVariables(variables, async () =>
      startStack({ directory, temporal: await ensureTemporal() }),
    )
    afterFile(() => stack.stop())
    await Promise.race([stack.ready, stack.broken])
    given = { ...variables, TEMPORAL_ADDRESS: stack.address }
  })
  return { zeroshift: (directory, ...args) => zeroshiftWith(given, directory, ...args) }
}

/** Does work while this process has more environment variables, which its children inherit. */
async function withVariables<T>(variables: NodeJS.ProcessEnv, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, variables)
  try {
    return await work()
  } finally {
    for (const [name, value] of before)
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
  }
}
