import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, inject } from 'vitest'
import { ensureTemporal } from '../../infra/temporal.mjs'
import { startStack, type Stack } from '../../stack/stack.ts'
import { zeroshiftWith, type Ended, type Running } from './command.ts'
import { zeroshiftHereWith } from './in-process.ts'
import { afterFile } from './release.ts'
import { withVariables } from './variables.ts'

export interface SharedStack {
  /** Starts `./zeroshift` in a directory. A run that it starts is computed by the shared worker. */
  readonly zeroshift: (directory: string, ...args: readonly string[]) => Running
  /** Executes the command in this process, which takes a tenth of the time. */
  readonly here: (directory: string, ...args: readonly string[]) => Promise<Ended>
}

/**
 * Gives the commands of a file a Temporal server and a worker. Otherwise each command starts both,
 * which takes longer than a small run. `env` is read before the first test, and both the worker and
 * the commands get it. A file without it uses the stack of its process, which files before it in
 * this process have used, and which ends with the process. The server knows their runs, too. A file
 * with `env` has a stack of its own.
 *
 * Commands with the same store may share the stack, and so may those with stores of their own,
 * unless two of them compute the same run at the same time: a run has one workflow on a server.
 * Tests of what starts and stops with a command do not use it.
 */
export function sharedStack(env?: () => NodeJS.ProcessEnv): SharedStack {
  let given: NodeJS.ProcessEnv = {}
  beforeAll(async () => {
    const variables = env?.() ?? {}
    const { address } = await (env ? stackOfFile(variables) : stackOfProcess())
    given = { ...variables, TEMPORAL_ADDRESS: address }
  })
  return {
    zeroshift: (directory, ...args) => zeroshiftWith(given, directory, ...args),
    here: (directory, ...args) => zeroshiftHereWith(given, directory, ...args),
  }
}

let ofProcess: Promise<Stack> | undefined

/** The directory is removed when all processes have ended (`tier-setup.ts`). */
function stackOfProcess(): Promise<Stack> {
  ofProcess ??= started(mkdtempSync(join(inject('sharedDirectory'), 'stack-')))
  return ofProcess
}

async function stackOfFile(variables: NodeJS.ProcessEnv): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-stack-'))
  afterFile(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  const stack = await withVariables(variables, () => started(directory))
  afterFile(() => stack.stop())
  return stack
}

async function started(directory: string): Promise<Stack> {
  const stack = await startStack({ directory, temporal: await ensureTemporal() })
  await Promise.race([stack.ready, stack.broken])
  return stack
}
