import { describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Plan } from '../../../experiment/plan/types.ts'
import type { DatasetFacts } from '../../../experiment/spec/dataset.ts'
import { checkSpec } from '../../../experiment/spec/check.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import type { ProgramFile } from '../../../experiment/spec/program.ts'
import type { Spec } from '../../../experiment/spec/spec.ts'
import { codeNameOf } from '../../../experiment/stages/code.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'

const facts: DatasetFacts = {
  name: 'digits',
  shape: [8, 8, 1],
  classes: ['0', '1', '2'],
  train: [30, 30, 30],
  test: [5, 5, 5],
  sources: [{ name: 'digits.csv.gz', sha256: '0'.repeat(64), bytes: 1 }],
  citation: 'none',
}

const externalModel = `
name: external
data: { name: digits }
split: { kind: class, classes: [0] }
model: { name: external, command: train, predict: predict, files: [net.py] }
shadow: { models: 8 }
methods:
  - method: original
  - method: retrain
  - { method: external, label: mine, command: mine, predict: predict, files: [mine.py] }
  - { method: external, label: outputs, command: mine, result: logits, files: [mine.py] }
`
const builtInModel = `
name: own
data: { name: digits }
split: { kind: class, classes: [0] }
model: { name: mlp, hidden: [4] }
training: { epochs: 1 }
relearn: {}
methods:
  - method: retrain
  - { method: finetune, epochs: 1 }
  - { method: external, label: mine, command: mine, files: [mine.py], options: { rate: 0.1 } }
  - { method: external, label: outputs, command: mine, result: logits, files: [mine.py] }
`

/** The files of a program, of which one has another byte with each number. */
const filesOf = (names: readonly string[], byte: number): ProgramFile[] =>
  names.map((path) => ({ path, sha256: String(byte).repeat(64), bytes: 10 }))

function specOf(text: string, { overrides = [] as readonly string[], byte = 1 } = {}): Spec {
  const { spec } = parseConfig({ file: 'external.yaml', text, overrides })
  const { model } = spec
  return {
    ...spec,
    model: model.name === 'external' ? { ...model, packed: filesOf(model.files, byte) } : model,
    methods: spec.methods.map((row) =>
      row.method === 'external' ? { ...row, packed: filesOf(row.files, byte) } : row,
    ),
  }
}

const planned = (...args: Parameters<typeof specOf>): Plan => plan(specOf(...args), facts)
const row = ({ candidates }: Plan, label: string) => candidates.find((candidate) => candidate.label === label)

function problemsOf(text: string, ...overrides: readonly string[]): readonly string[] {
  try {
    checkSpec(specOf(text, { overrides }), facts, () => ({}))
    return []
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return error.problems.map(({ path, message }) => `${path ?? ''}: ${message}`)
  }
}

describe('the plan of an external model', () => {
  const made = planned(externalModel)

  test('lets the program train the original, gold and the shadow models, from its files', () => {
    const program = { command: 'train', predict: 'predict', result: 'predict', options: {} }
    expect(made.original.params).toEqual({ on: 'all', program, seed: 1 })
    expect(made.gold[0]?.params).toEqual({ on: 'retained', program, seed: 1001 })
    expect(made.shadow?.models).toHaveLength(8)
    for (const stage of [made.original, ...made.gold, ...(made.shadow?.models ?? [])])
      expect(stage.inputs.program?.key).toBe(made.programs?.[0]?.key)
  })

  test('stores the files of each program once, before anything else reads them', () => {
    expect(made.programs?.map(({ params }) => params.files.map(({ path }) => path))).toEqual([
      ['net.py'],
      ['mine.py'],
    ])
    expect(stagesOf(made).map(({ kind }) => kind)).toContain('program')
  })

  test('evaluates the logits of the program, and has no untrained twin', () => {
    for (const { evaluate, compare } of made.candidates) {
      expect(evaluate.params).toEqual({ program: 'logits' })
      expect(compare.inputs.twinEvaluation).toBeUndefined()
    }
    expect(made.twin).toBeUndefined()
  })

  test('has code of its own, so that a change of it leaves the results of built-in models valid', () => {
    expect([...new Set(stagesOf(made).map((stage) => codeNameOf(stage)))]).toEqual(
      expect.arrayContaining(['train:program', 'shadow:program', 'unlearn:program', 'evaluate:program']),
    )
    expect(stagesOf(made).map((stage) => codeNameOf(stage))).not.toContain('train')
  })
})

describe('the plan of an external method on a built-in model', () => {
  const made = planned(builtInModel)

  test('evaluates weights as those of other methods, and logits as they are', () => {
    expect(row(made, 'mine')?.evaluate.params).toMatchObject({ model: { name: 'mlp' } })
    expect(row(made, 'outputs')?.evaluate.params).toEqual({ program: 'logits' })
  })

  test('relearns the models of which weights are known', () => {
    expect(made.candidates.filter(({ relearn }) => !relearn).map(({ label }) => label)).toEqual(['outputs'])
  })

  test('leaves the keys of all other stages as they are without it', () => {
    const without = planned(
      builtInModel
        .split('\n')
        .filter((line) => !line.includes('external'))
        .join('\n'),
    )
    const keys = new Set(stagesOf(made).map(({ key }) => key))
    expect(stagesOf(without).filter(({ key }) => !keys.has(key))).toEqual([])
  })
})

describe('the key of a stage of a program', () => {
  const keyOf = (...overrides: readonly string[]) =>
    row(planned(builtInModel, { overrides }), 'mine')?.unlearn?.key

  test.each([
    ['a command', 'methods[2].command=other'],
    ['an option', 'methods[2].options.rate=0.2'],
    ['the environment', 'methods[2].environment=torch==2.15'],
    ['an image', `methods[2].image=sha256:${'a'.repeat(64)}`],
    ['the kind of the result', 'methods[2].result=logits'],
  ])('contains %s', (_, override) => {
    expect(keyOf(override)).not.toBe(keyOf())
  })

  test('contains every byte of its files', () => {
    const other = row(planned(builtInModel, { byte: 2 }), 'mine')?.unlearn?.key
    expect(other).not.toBe(keyOf())
  })

  test.each([
    ['methods[2].limits.hours=2'],
    ['methods[2].variables=[CUDA_HOME]'],
    ['methods[2].label=yours'],
  ])('does not contain %s', (override) => {
    const label = override.includes('label') ? 'yours' : 'mine'
    const stage = row(planned(builtInModel, { overrides: [override] }), label)?.unlearn
    expect(stage?.key).toBe(keyOf())
  })

  test('the limits and the variables travel beside it', () => {
    const overrides = ['methods[2].limits.hours=2', 'methods[2].variables=[CUDA_HOME]']
    expect(row(planned(builtInModel, { overrides }), 'mine')?.unlearn?.execution).toEqual({
      limits: { hours: 2 },
      variables: ['CUDA_HOME'],
    })
  })
})

describe('what an external program cannot be asked for', () => {
  test('nothing is wrong with the examples', () => {
    expect(problemsOf(externalModel)).toEqual([])
    expect(problemsOf(builtInModel)).toEqual([])
  })

  test.each<[string, string, string]>([
    [
      externalModel,
      'methods[2]={ method: finetune, epochs: 1 }',
      'methods[2].method: finetune changes the weights',
    ],
    [externalModel, 'training={ epochs: 1 }', 'training: the program of an external model decides'],
    [externalModel, 'tune={}', 'tune: an external model has no methods whose options'],
    [externalModel, 'relearn={}', 'relearn: relearn reads the weights of models'],
    [externalModel, 'probe={}', 'probe: probe reads the weights of models'],
    [externalModel, 'features={}', 'features: features reads the weights of models'],
    [
      externalModel,
      'methods[2].result=weights',
      'methods[2].result: result: weights is for a model whose layers',
    ],
    [externalModel, 'methods[2].result=logits', 'methods[2].predict: a program with result: logits needs no'],
    [builtInModel, 'methods[2].result=predict', 'methods[2].predict: predict is missing'],
    [
      builtInModel,
      'methods[2].result=adapter',
      'methods[2].result: result: adapter is for a model that PEFT',
    ],
    [
      builtInModel,
      'methods[2].variables=[AWS_SECRET_ACCESS_KEY]',
      'methods[2].variables[0]: AWS_SECRET_ACCESS_KEY has',
    ],
  ])('%#: %s', (text, override, said) => {
    expect(problemsOf(text, override).join('\n')).toContain(said)
  })

  test.each<[string, string]>([
    ['methods[2].tune={}', 'methods[2].tune'],
    ['methods[2].files=[../mine.py]', 'a path below the folder of the config'],
    ['methods[2].files=[/etc/passwd]', 'a path below the folder of the config'],
    ['methods[2].variables=[a-b]', 'the name of an environment variable'],
    ['methods[2].image=python:3.11', 'the digest of a container image'],
  ])('is refused before the data are read: %s', (override, said) => {
    expect(() => specOf(builtInModel, { overrides: [override] })).toThrow(said)
  })

  test('a built-in model still needs the section training', () => {
    const without = builtInModel.replace('training: { epochs: 1 }\n', '')
    expect(() => specOf(without)).toThrow('training is missing: expected a mapping (key: value)')
  })
})
