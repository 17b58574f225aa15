import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { presentPeft } from '../../infra/peft.mjs'
import { answerOf, zeroshiftWith, type Answer, type Running } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { buildWheel, environmentWith } from '../support/python-package.ts'

/** Runs the examples of the Python package with the launcher, as a user does. */
const python = presentPeft() ?? ''
const why = python === '' ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''
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
  scrub: { label: 'scrub in PyTorch', row: 3, quick: [] },
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

interface WholeRun {
  readonly directory: string
  readonly answer: Answer
}

describe.skipIf(python === '')(`programs in Python${why}`, () => {
  let installed: string
  beforeAll(async () => {
    const directory = fileDirectory()
    installed = await environmentWith(
      await buildWheel(python, directory),
      python,
      join(directory, 'installed'),
    )
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
      PATH: `${dirname(installed)}:${process.env.PATH ?? ''}`,
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

  const runs = new Map<ExampleName, Promise<WholeRun>>()
  /** The run of an example without any fault, which is computed once. */
  function whole(name: ExampleName): Promise<WholeRun> {
    const known = runs.get(name)
    if (known) return known
    const directory = fileDirectory()
    for (const folder of ['python/examples', 'tests/fixtures/programs/python'])
      cpSync(join(repository, folder), join(directory, 'examples'), { recursive: true })
    const run = finished(start(directory, name)).then((answer) => ({ directory, answer }))
    runs.set(name, run)
    return run
  }

  const figuresOf = ({ answer }: WholeRun, label: string) =>
    answer.results.find(({ method }) => method === label)?.metrics

  test('SCRUB in PyTorch agrees with the built-in one within the noise of the seeds', async () => {
    const { directory, answer } = await whole('scrub')
    const script = `
import json
from zeroshift import Run
table = Run("${answer.id}", store="${directory}/.zeroshift/store").table().dropna(subset="value")
print(json.dumps({label: rows.groupby("metric").value.agg(list).to_dict() for label, rows in table.groupby("label")}))
`
    const { stdout, stderr } = spawnSync(installed, ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const figures = JSON.parse(stdout) as Record<string, Record<string, readonly number[]>>
    // 4.6 is the 99.5% quantile of Student's t with 4 degrees of freedom. The numbers of `allowed`
    // are added, since all seeds may have the same figure.
    const allowed = { ua: 0.3, ra: 0.3, ta: 0.3, activationForget: 0.02, activationRetained: 0.02 }
    for (const [metric, more] of Object.entries(allowed)) {
      const [own, theirs] = ['scrub', 'scrub in PyTorch'].map((label) =>
        statistics(figures[label]?.[metric] ?? []),
      )
      const noise = Math.sqrt(((own?.variance ?? NaN) + (theirs?.variance ?? NaN)) / 3)
      expect(Math.abs((own?.mean ?? NaN) - (theirs?.mean ?? NaN)), metric).toBeLessThan(4.6 * noise + more)
    }
    // Both forget, as far as the noise of the seeds.
    expect(statistics(figures.original?.ua ?? []).mean).toBeLessThan(5)
    expect(statistics(figures['scrub in PyTorch']?.ua ?? []).mean).toBeGreaterThan(85)
  })

  test('a forest of scikit-learn is original, gold and method by its logits alone', async () => {
    const run = await whole('sklearn_model')
    expect(figuresOf(run, 'original')?.ra).toBeGreaterThan(99)
    expect(figuresOf(run, 'original')?.ua).toBe(0)
    for (const label of ['retrain', 'a small forest anew'])
      expect(figuresOf(run, label)?.ua).toBeGreaterThan(0)
  })

  test('ResNet-9, which Zeroshift does not know, has two methods and LiRA by 8 shadow models', async () => {
    const run = await whole('resnet9')
    expect(figuresOf(run, 'original')?.ra).toBeGreaterThan(80)
    expect(figuresOf(run, 'negative gradients')?.ua).toBeGreaterThan(figuresOf(run, 'fine-tuning')?.ua ?? NaN)
    const file = join(run.directory, '.zeroshift/store/runs', run.answer.id, 'report/report.json')
    const { computed } = JSON.parse(readFileSync(file, 'utf8')) as { readonly computed: unknown }
    const auc = { value: expect.any(Number) as number }
    const row = (label: string) => ({
      label,
      seeds: [{ models: 8, sets: { forget: { attacks: { lira: { auc }, liraOffline: { auc } } } } }],
    })
    expect(computed).toMatchObject({
      membership: ['original', 'retrain', 'fine-tuning', 'negative gradients'].map(row),
    })
  })

  test('the Trainer of transformers trains original and gold, and unlearns', async () => {
    const run = await whole('hf_trainer')
    expect(figuresOf(run, 'original')?.ra).toBeGreaterThan(25)
    // Gold never saw the class.
    expect(figuresOf(run, 'retrain')?.ua).toBe(100)
    expect(figuresOf(run, 'fine-tuning')?.ua).toBeGreaterThan(figuresOf(run, 'original')?.ua ?? NaN)
  })

  test.each<[ExampleName, string, boolean]>([
    ['scrub', 'continues from its checkpoints', true],
    ['hf_trainer', 'continues from its checkpoints', true],
    ['sklearn_model', 'is started again', false],
  ])(
    '%s %s after SIGKILL of the program and of the worker, to the same bytes',
    async (name, _, continues) => {
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
    },
  )
})

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
  return existsSync(folder) ? readdirSync(folder).map((name) => stepOf(name)) : []
}

/** The parent of a process: the worker, if it is the first process of a program's group. */
function parentOf(pid: number): number {
  return Number.parseInt(spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout)
}

function statistics(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}
