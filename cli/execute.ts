import { type Command, CommanderError } from 'commander'
import { UserError } from '../common/errors.ts'
import { ignoredRecord } from '../artifacts/store/events.ts'
import { coloursOf, printError, printProblem } from './output/print.ts'
import { createProgram } from './program.ts'
import { beginCommand } from './server/command-span.ts'

ignoredRecord.subscribe((message) => {
  printError(coloursOf(process.stderr).yellow(message))
})

/** Executes the command of `process.argv`, and sets the exit code of the process. */
export async function executeCommandLine(): Promise<void> {
  const program = createProgram()
  let endCommand: Awaited<ReturnType<typeof beginCommand>>
  program.hook('preAction', async (_program, action) => {
    refuseEmpty(action)
    endCommand = await beginCommand(action.name())
  })

  try {
    if (asksForVersion(process.argv.slice(2))) {
      const { version } = await import('./actions/version.ts')
      process.exitCode = await version({ json: process.argv.includes('--json') })
    } else await program.parseAsync()
  } catch (error) {
    process.exitCode = await exitCode(error)
  }
  await endCommand?.(Number(process.exitCode ?? 0))
}

/** Whether the command line is `--version`, which may stand with `--json` alone. */
function asksForVersion(words: readonly string[]): boolean {
  const rest = words.filter((word) => word !== '--json')
  return rest.length === 1 && (rest[0] === '--version' || rest[0] === '-V')
}

/**
 * Refuses options and arguments that are empty text. Empty text results from a variable that is not
 * set, and as a path it would mean the working directory. Throws a UserError.
 */
function refuseEmpty(action: Command): void {
  const isEmpty = (value: unknown) =>
    [value].flat().some((one) => typeof one === 'string' && one.trim() === '')
  const options = action.options.filter((option) => isEmpty(action.getOptionValue(option.attributeName())))
  const words = action.registeredArguments.filter((_, i) => isEmpty(action.processedArgs[i]))
  const names = [...options.map(({ long }) => long), ...words.map((word) => `<${word.name()}>`)]
  if (names.length > 0)
    throw new UserError(`${names.join(', ')}: empty text; expected a value, or none of it at all`)
}

/**
 * Returns the exit code for an error that ended a command. With `--json` it prints an answer, even
 * if the options were wrong.
 */
async function exitCode(error: unknown): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  // Commander has printed its own errors.
  if (!(error instanceof CommanderError)) printProblem(error)
  const { refusalOf, createOutput } = await import('./output/output.ts')
  const { code, answer } = refusalOf(
    error instanceof CommanderError ? new UserError(error.message.replace(/^error: /, '')) : error,
  )
  return createOutput(process.argv.includes('--json')).answer(code, answer)
}
