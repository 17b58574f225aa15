import { vi } from 'vitest'
import { executeCommandLine } from '../../cli/execute.ts'
import type { Ended } from './command.ts'
import { withVariables } from './variables.ts'

/**
 * A command of `./zeroshift` in this process and directory, so that hundreds take seconds. For
 * commands that start nothing: one that ends its process would end the tests.
 */
export async function zeroshiftHere(directory: string, ...args: readonly string[]): Promise<Ended> {
  const before = { argv: process.argv, directory: process.cwd() }
  const said = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      said[name] += chunk.toString()
      return true
    }),
  )
  process.argv = ['node', 'zeroshift', ...args]
  process.chdir(directory)
  try {
    await executeCommandLine()
    return { code: Number(process.exitCode ?? 0), ...said }
  } finally {
    for (const spy of spies) spy.mockRestore()
    process.exitCode = undefined
    process.chdir(before.directory)
    process.argv = before.argv
  }
}

/** The same with environment variables, and without the settings of this machine. */
export function zeroshiftHereWith(
  given: NodeJS.ProcessEnv,
  directory: string,
  ...args: readonly string[]
): Promise<Ended> {
  const none = { ZEROSHIFT_STORE: undefined, TEMPORAL_ADDRESS: undefined }
  return withVariables({ ...none, ...given }, () => zeroshiftHere(directory, ...args))
}
