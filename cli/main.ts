import { type Command, CommanderError } from 'commander'
import { UserError } from '../common/errors.ts'
import { ignoredRecord } from '../artifacts/store/events.ts'
import { coloursOf, printError, printProblem } from './output/print.ts'
import { createProgram } from './program.ts'
import { beginCommand } from './server/command-span.ts'

/**
 * The command line. Exit codes: 0 done, 1 the run failed, 2 the user's input was wrong, 3 a
 * verification on other hardware came within the floor.
 */

// A reader that has seen enough, such as `| head`: end as any Unix program does, by 128 + SIGPIPE.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(141)
})

ignoredRecord.subscribe((message) => {
  printError(coloursOf(process.stderr).yellow(message))
})

const program = createProgram()
let endCommand: Awaited<ReturnType<typeof beginCommand>>
program.hook('preAction', async (_program, action) => {
  refuseEmpty(action)
  endCommand = await beginCommand(action.name())
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = await exitCode(error)
}
await endCommand?.(Number(process.exitCode ?? 0))

/**
 * Empty text means a variable that was not set, and as a path the working directory. Throws a
 * UserError.
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
 * Of a command that an error ended. With `--json` there is an answer even to options that are wrong
 * themselves.
 */
async function exitCode(error: unknown): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  // Commander has printed its own.
  if (!(error instanceof CommanderError)) printProblem(error)
  const { refusalOf, createOutput } = await import('./output/output.ts')
  const { code, answer } = refusalOf(
    error instanceof CommanderError ? new UserError(error.message.replace(/^error: /, '')) : error,
  )
  return createOutput(process.argv.includes('--json')).answer(code, answer)
}
