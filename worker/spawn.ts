import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A worker as a child process (see main.ts for `args`), which sends a message when it asks for work. Its output goes to `log`. */
export function spawnWorker(args: readonly string[], log: string): ChildProcess {
  const output = openSync(log, 'a')
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), args, {
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', output, output, 'ipc'],
    // Ctrl-C at the terminal is for this process, which then stops the worker in its order.
    detached: true,
  })
  closeSync(output)
  return child
}
