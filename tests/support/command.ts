import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answer as RunAnswer } from '../../cli/output/output.ts'

const launcher = fileURLToPath(new URL('../../zeroshift', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /**
   * Resolves when the text has appeared on standard output or error. Rejects when the command ends
   * before.
   */
  says(text: string): Promise<void>
}

/** Starts `./zeroshift` as a user does, in a directory, without the settings of this machine. */
export function zeroshift(directory: string, ...args: readonly string[]): Running {
  return zeroshiftWith({}, directory, ...args)
}

/** Starts `./zeroshift` with additional environment variables. */
export function zeroshiftWith(
  given: NodeJS.ProcessEnv,
  directory: string,
  ...args: readonly string[]
): Running {
  return started(launcher, given, directory, args)
}

/** The command of another checkout. */
export function zeroshiftOf(checkout: string, directory: string, ...args: readonly string[]): Running {
  return started(join(checkout, 'zeroshift'), {}, directory, args)
}

function started(
  launcher: string,
  given: NodeJS.ProcessEnv,
  directory: string,
  args: readonly string[],
): Running {
  const { ZEROSHIFT_STORE: _store, TEMPORAL_ADDRESS: _address, ...ours } = process.env
  const env = { ...ours, ...given }
  const child = spawn(launcher, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (data: Buffer) => (text[name] += data.toString()))
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, ...text }))
  return {
    child,
    ended,
    async says(wanted) {
      const seen = () => `${text.stdout}${text.stderr}`.includes(wanted)
      while (!seen()) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`the command ended without saying '${wanted}':\n${text.stdout}\n${text.stderr}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

/** The answer of a run that has ended. */
export type Answer = RunAnswer & {
  readonly id: string
  readonly report: string
  readonly digest: string
  readonly seconds: number
}

/** The object on the last line of what a command with `--json` said. */
export function answerOf(stdout: string): Answer {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer
}

/** An experiment of a few seconds. */
export const smallConfig = `
name: small
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: mlp, hidden: [16] }
training: { epochs: 2 }
gold: { models: 1 }
methods:
  - method: retrain
  - method: rfa
    steps: 20
`

/**
 * The small experiment with another name and one more row, whose program waits: a run goes on until
 * it is stopped, and needs no processor for that.
 */
export const endlessConfig = `${smallConfig.replace('name: small', 'name: long')}
  - { method: external, label: waiting, command: sleep 3600, result: logits }
`

/** The processes whose command line contains one of these texts. */
export function processesOf(...texts: readonly string[]): readonly string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  return stdout.split('\n').filter((line) => texts.some((text) => line.includes(text)))
}

/** Signals the servers whose command line contains a text, behind their guards. */
export function signalServer(commandLine: string, signal: NodeJS.Signals): void {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
  for (const line of stdout.split('\n'))
    if (line.includes(commandLine) && !line.includes('zeroshift-guard'))
      process.kill(Number.parseInt(line), signal)
}
