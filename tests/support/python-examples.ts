import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, onTestFinished, vi } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { presentPeft } from '../../infra/peft.mjs'
import { answerOf, zeroshiftWith, type Answer, type Running } from './command.ts'
import { fileDirectory } from './directories.ts'
import { forkingPython } from './forking-python.ts'
import { buildWheel, environmentWith } from './python-package.ts'

/** Runs the examples of the Python package with the launcher, as a user does. */
const python = presentPeft() ?? ''
export const isWithoutPython = python === ''
export const whyWithout = isWithoutPython
  ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)'
  : ''
const repository = fileURLToPath(new URL('../..', import.meta.url))

interface Example {
  /** The label and the position of the row whose program is killed. */
  readonly label: string
  readonly row: number
  /** Changes of the config that make it quick. */
  readonly quick: readonly string[]
}

const trainer = { learning_rate: 0.005, logging_steps: 2 }
const trainerOptions = {
  whole: { ...trainer, max_steps: 80, save_strategy: 'no' },
  // The Trainer averages losses since the last log, so that checkpoints have to follow logs.
  method: { ...trainer, max_steps: 12, save_steps: 2 },
}
const examples = {
  scrub: { label: 'scrub in PyTorch', row: 3, quick: ['training.epochs=15'] },
  sklearn_model: { label: 'a small forest anew', row: 2, quick: [] },
  hf_trainer: {
    label: 'fine-tuning',
    row: 2,
    quick: [
      `model.options=${JSON.stringify(trainerOptions.whole)}`,
      `methods[2].options=${JSON.stringify(trainerOptions.method)}`,
    ],
  },
  resnet9: {
    label: 'negative gradients',
    row: 3,
    quick: [
      'model.options.epochs=2',
      'methods[2].options.epochs=1',
      'methods[3].options={epochs: 1, ascent: 2}',
    ],
  },
} as const satisfies Record<string, Example>
type ExampleName = keyof typeof examples

export interface WholeRun {
  readonly directory: string
  readonly answer: Answer
}

/** The examples, executed by a Python in which the package is installed. */
export interface PythonExamples {
  /** The path of that Python. */
  readonly installed: () => string
  /**
   * The run of an example without any fault, which is computed once. Its programs are forks of a
   * process that has imported `modules`.
   */
  readonly whole: (name: ExampleName) => Promise<WholeRun>
  /**
   * Kills the program of an example and the worker, each of which starts anew. Expects the bytes of
   * the run without faults. `continues`: whether the program continues from its checkpoints.
   */
  readonly surviveKills: (name: ExampleName, continues: boolean) => Promise<void>
}

/** Installs the package before the first test of a suite. */
export function pythonExamples(modules: readonly string[]): PythonExamples {
  let installed: string
  let forking: string
  beforeAll(async () => {
    const directory = fileDirectory()
    installed = await environmentWith(
      await buildWheel(python, directory),
      python,
      join(directory, 'installed'),
    )
    forking = await forkingPython(installed, directory, ['zeroshift', ...modules])
  })

  /** Starts an example. Its program for `row` is executed by `watched.py`. */
  function start(
    directory: string,
    name: ExampleName,
    env: NodeJS.ProcessEnv = {},
    ...more: readonly string[]
  ): Running {
    const { row, quick } = examples[name]
    const settings = [
      ...quick,
      'gold.models=1',
      `methods[${row}].command=python watched.py ${name}.py`,
      `methods[${row}].files=[watched.py, ${name}.py]`,
      `methods[${row}].variables=[TRACE, PAUSE]`,
      ...more,
    ]
    const given = {
      PATH: pathWith(dirname(installed)),
      // Threads that wait for each other take the time of other tests.
      TF_NUM_INTRAOP_THREADS: '1',
      ...env,
    }
    const args = settings.flatMap((set) => ['--set', set])
    return zeroshiftWith(given, directory, 'run', `examples/${name}.yaml`, '--json', ...args)
  }

  async function finished({ ended }: Running): Promise<Answer> {
    const { stdout, stderr } = await ended
    const answer = answerOf(stdout)
    expect(answer, stderr).toMatchObject({ status: 'completed', failed: [] })
    return answer
  }

  const pathWith = (folder: string) => `${folder}:${process.env.PATH ?? ''}`
  const runs = new Map<ExampleName, Promise<WholeRun>>()
  function whole(name: ExampleName): Promise<WholeRun> {
    const known = runs.get(name)
    if (known) return known
    const directory = fileDirectory()
    for (const folder of ['python/examples', 'tests/fixtures/programs/python'])
      cpSync(join(repository, folder), join(directory, 'examples'), { recursive: true })
    const run = finished(start(directory, name, { PATH: pathWith(forking) })).then((answer) => ({
      directory,
      answer,
    }))
    runs.set(name, run)
    return run
  }

  async function surviveKills(name: ExampleName, continues: boolean): Promise<void> {
    const { directory, answer } = await whole(name)
    const again = fileDirectory()
    cpSync(directory, again, { recursive: true })
    const stage = await stageIn(again, answer.id, examples[name].label)
    rmSync(stage, { recursive: true })

    const trace = join(again, 'trace')
    const starts = () => startsIn(trace)
    const env = { TRACE: trace, PAUSE: name === 'scrub' ? '0.3' : '2' }
    const running = start(again, name, env, 'checkpointSeconds=0.1', 'heartbeatSeconds=5')
    onTestFinished(() => {
      running.child.kill('SIGKILL')
    })
    /** Waits for a start of the program, and for a checkpoint of this attempt. */
    const attempt = async (count: number): Promise<number> => {
      const [options, start] = [{ timeout: 120_000, interval: 20 }, () => starts()[count - 1]]
      const { group, resume } = await vi.waitUntil(start, options)
      if (continues)
        await vi.waitUntil(() => checkpointsIn(stage).some((step) => step > stepOf(resume)), options)
      return group
    }
    process.kill(-(await attempt(1)), 'SIGKILL')
    process.kill(parentOf(await attempt(2)), 'SIGKILL')
    const { digest } = await finished(running)
    // The digest covers the blobs and figures of all stages.
    expect(digest).toBe(answer.digest)
    const [first, second = NaN, third] = starts().map(({ resume }) => stepOf(resume))
    expect(first).toBe(0)
    if (continues) {
      expect(second).toBeGreaterThan(0)
      expect(third).toBeGreaterThan(second)
    } else expect([second, third]).toEqual([0, 0])
  }

  return { installed: () => installed, whole, surviveKills }
}

/** The figures of the row of a run. */
export const figuresOf = ({ answer }: WholeRun, label: string) =>
  answer.results.find(({ method }) => method === label)?.metrics

interface Start {
  readonly group: number
  /** The name of a checkpoint, whose last part is its step. */
  readonly resume: string | null
}

/** The starts of a program that `watched.py` recorded. */
function startsIn(trace: string): readonly Start[] {
  if (!existsSync(trace)) return []
  return readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Start]))
}

/** The step in the name of a checkpoint; 0 without one. */
const stepOf = (name: string | null) => Number(/\d+/.exec(name ?? '')?.[0] ?? 0)

/** The folder of the stage at which a method's program works, of the first seed. */
async function stageIn(directory: string, id: string, label: string): Promise<string> {
  const store = join(directory, '.zeroshift/store')
  const record = await openArtifacts(store).run(id)
  const stage = record?.plan.candidates.find((candidate) => candidate.label === label)?.unlearn
  if (!stage) throw new Error(`${id} has no stage of ${label}`)
  return join(store, 'stages/unlearn', stage.key)
}

/** The steps of the checkpoints that Zeroshift has stored for a stage. */
function checkpointsIn(stage: string): readonly number[] {
  const folder = join(stage, 'checkpoints')
  if (!existsSync(folder)) return []
  // A file that is being written has a temporary name.
  return readdirSync(folder).flatMap((name) => (/^\d+-/.test(name) ? [stepOf(name)] : []))
}

/** The parent of a process: the worker, if it is the first process of a program's group. */
function parentOf(pid: number): number {
  return Number.parseInt(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout)
}
