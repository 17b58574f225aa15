import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eachLine, isJsonLog, jsonLine } from '../worker/worker-log.mjs'

/**
 * A worker as a child process (see main.ts for `args`), which sends a message when it asks for work.
 * Its output goes to the file `log`, by way of this process where its lines are to be JSON. All of it
 * is there when the child closes.
 */
export function spawnWorker(args: readonly string[], log: string): ChildProcess {
  const file = openSync(log, 'a')
  const output = isJsonLog(process.env, false) ? 'pipe' : file
  const child = fork(fileURLToPath(new URL('../worker/main.ts', import.meta.url)), args, {
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', output, output, 'ipc'],
    // Ctrl-C at the terminal is for this process, which then stops the worker in its order.
    detached: true,
  })
  const write = (line: string) => {
    try {
      writeSync(file, jsonLine(line, child))
    } catch {
      // A full disk ends no worker.
    }
  }
  for (const stream of [child.stdout, child.stderr]) if (stream) eachLine(stream, write)
  child.once('close', () => {
    closeSync(file)
  })
  return child
}
