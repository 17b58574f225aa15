import { UserError } from '../common/errors.ts'
import { fixedVariables, threadVariables, whyRefusedVariable } from '../common/program-variables.ts'
import { TASK_VARIABLE } from './contract.ts'
import type { TaskDirectory } from './task-directory.ts'

/**
 * Throws a UserError that lists the names of environment variables that no program may get: those
 * that look like credentials, and those that Zeroshift sets itself.
 */
export function refuseCredentials(variables: readonly string[]): void {
  const problems = variables.flatMap((name) => {
    const reason = whyRefusedVariable(name)
    return reason === undefined ? [] : [{ message: `the variable ${JSON.stringify(name)} ${reason}` }]
  })
  if (problems.length > 0) throw new UserError(problems)
}

export interface EnvironmentOptions {
  readonly places: TaskDirectory
  readonly threads: number
  readonly device: 'cpu' | 'gpu'
  /** The names of further variables that are passed on if they are set. */
  readonly variables: readonly string[]
}

/**
 * Returns the environment of a program: what is named here and in the config, and nothing else of
 * the worker's environment `from`, so that no credential of the worker reaches a program.
 */
export function programEnvironment(
  { places, threads, device, variables }: EnvironmentOptions,
  from: NodeJS.ProcessEnv = process.env,
): Readonly<Record<string, string>> {
  refuseCredentials(variables)
  const passed = ['PATH', ...(device === 'gpu' ? ['CUDA_VISIBLE_DEVICES'] : []), ...variables].flatMap(
    (name) => {
      const value = from[name]
      return value === undefined ? [] : [[name, value] as const]
    },
  )
  return {
    ...Object.fromEntries(passed),
    // No GPU is visible to a program that has to compute on the CPU.
    ...(device === 'cpu' && { CUDA_VISIBLE_DEVICES: '' }),
    ...fixedVariables,
    ...Object.fromEntries(threadVariables.map((name) => [name, String(threads)])),
    [TASK_VARIABLE]: places.taskFile,
    HOME: places.home,
    TMPDIR: places.temporary,
  }
}
