import { executeCommandLine } from './execute.ts'

/**
 * The command line. Its exit codes are 0 for success, 1 for a run that failed, 2 for invalid input,
 * and 3 for a verification on other hardware that is within the floor.
 */

// If the reader of the output has ended, such as `| head`, the process ends with 128 + SIGPIPE like
// other Unix programs.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(141)
})

await executeCommandLine()
