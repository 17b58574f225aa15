import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { eachLine, isJsonLog, jsonLine } from '../worker/worker-log.mjs'

/**
 * Starts a worker as a child process, which sends a message when it asks for work. For `args` see
 * worker/main.ts. The output goes to the file `log`, through this process if its lines have to be
 * JSON. The file is complete when the child emits `close`.
 */
export function spawnWorker(args: readonly string[], log: string): ChildProcess {
  const file = openSync(log, 'a')
  const output = isJsonLog(process.env, false) ? 'pipe' : file
  const child = fork(fileURLToPath(new URL('../infra/launch-worker.mjs', import.meta.url)), args, {
    execArgv: [],
    stdio: ['ignore', output, output, 'ipc'],
    // Ctrl-C at the terminal must reach only this process, which then stops the worker.
    detached: true,
  })
  const write = (line: string) => {
    try {
      writeSync(file, jsonLine(line, child))
    } catch {
      // A full disk must not end the worker.
    }
  }
  for (const stream of [child.stdout, child.stderr]) if (stream) eachLine(stream, write)
  child.once('close', () => {
    closeSync(file)
  })
  return child
}
