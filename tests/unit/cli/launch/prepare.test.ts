import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { prepare } from '../../../../cli/launch/prepare.ts'
import { readConfig, type ConfigSource } from '../../../../cli/launch/read-config.ts'
import type { Inspection } from '../../../../cli/launch/inspection.ts'
import { UserError } from '../../../../common/errors.ts'
import type { RunInput } from '../../../../experiment/records/run.ts'
import { inspectDataset } from '../../../../datasets/index.ts'
import { testDirectory } from '../../../support/directories.ts'
import { errorOf } from '../../../support/errors.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

const write = (name: string, text: string) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

function config(split: string, name = 'config.yaml'): string {
  return write(
    name,
    `name: sample\ndata: { name: digits }\nsplit: ${split}\nmodel: { name: mlp, hidden: [8] }\n` +
      'training: { epochs: 1 }\nmethods: [{ method: original }]\n',
  )
}

async function prepared(path: string, ...overrides: string[]): Promise<RunInput['run']> {
  const asked: ConfigSource = { config: path, overrides }
  return (await prepare(asked, await readConfig(asked))).run
}

async function problemsIn(path: string, ...overrides: string[]) {
  return (await errorOf(prepared(path, ...overrides), UserError)).problems
}

/** Training samples of digits under the default seed, and one that is held out for testing. */
async function someSamples(): Promise<{ train: number[]; test: number }> {
  const { partition } = await import('../../../../learning/data/partition.ts')
  const { train, test } = partition({ train: 1258, validation: 0, test: 539 }, 1797, 1)
  return { train: [...train.subarray(0, 5)], test: test[0] ?? 0 }
}

describe('indices to forget', () => {
  test('are read from a file beside the config, and become part of the spec', async () => {
    const { train } = await someSamples()
    write('forget.txt', [...train].reverse().join('\n'))
    const { spec } = await prepared(config('{ kind: indices, file: forget.txt }'))
    expect(spec.split).toEqual({
      kind: 'indices',
      file: 'forget.txt',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      indices: train,
    })
  })

  test('make the same stages from any file, order and place, and others where they are others', async () => {
    const { train } = await someSamples()
    write('forget.txt', train.join('\n'))
    mkdirSync(join(directory, 'lists'))
    write('lists/other.txt', `# the same ones\n${[...train].reverse().join(', ')}`)
    write('lists/fewer.txt', train.slice(1).join('\n'))
    const [plain, moved, inline, fewer] = await Promise.all(
      [
        'file: forget.txt',
        'file: lists/other.txt',
        `indices: [${train.join()}]`,
        'file: lists/fewer.txt',
      ].map(async (where, i) => (await prepared(config(`{ kind: indices, ${where} }`, `${i}.yaml`))).plan),
    )
    expect(moved?.split.key).toBe(plain?.split.key)
    expect(inline?.split.key).toBe(plain?.split.key)
    expect(fewer?.split.key).not.toBe(plain?.split.key)
    expect(fewer?.original.key).toBe(plain?.original.key)
  })

  test('that are no training samples are refused, with the place', async () => {
    const { train, test: held } = await someSamples()
    write('forget.txt', [...train, held, 1797].join('\n'))
    const path = config('{ kind: indices, file: forget.txt }')
    expect(await problemsIn(path)).toMatchObject([
      {
        file: path,
        line: 3,
        column: 31,
        message: expect.stringMatching(new RegExp(`^sample ${held} is a test sample`)) as string,
      },
      { message: "there is no sample 1797: the data's 1797 samples are 0 to 1796" },
    ])
  })

  test('need their file, as it was', async () => {
    const missing = config('{ kind: indices, file: nowhere.txt }')
    expect((await problemsIn(missing))[0]?.message).toMatch(/nowhere\.txt: there is no such file/)
    const { train } = await someSamples()
    write('forget.txt', train.join('\n'))
    const other = config(`{ kind: indices, file: forget.txt, sha256: '${'0'.repeat(64)}' }`)
    expect((await problemsIn(other))[0]).toMatchObject({ line: 3, path: 'split.sha256' })
  })

  test('a path on the command line is relative to the working directory', async () => {
    const { train } = await someSamples()
    const path = config('{ kind: indices, file: nowhere.txt }')
    const file = write('elsewhere.txt', train.join('\n'))
    expect((await prepared(path, `split.file=${file}`)).spec.split).toMatchObject({ indices: train })
    const [problem] = await problemsIn(path, 'split.file=elsewhere.txt')
    expect(problem?.message).toMatch(/^elsewhere\.txt: there is no such file/)
  })
})

describe('where data is', () => {
  const samples = new URL('../../../reference/data/npz/four.npz', import.meta.url)
  const npz = (data: string, name = 'config.yaml') =>
    write(
      name,
      `name: sample\ndata: { name: npz, ${data} }\nsplit: { kind: class, classes: [2] }\nmodel: { name: mlp, hidden: [8] }\n` +
        'training: { epochs: 1 }\nmethods: [{ method: original }]\n',
    )
  const put = (folder: string) => {
    mkdirSync(join(directory, folder), { recursive: true })
    copyFileSync(samples, join(directory, folder, 'four.npz'))
  }
  const asked = async (path: string, ...overrides: string[]) => {
    const one: ConfigSource = { config: path, overrides }
    return prepare(one, await readConfig(one))
  }

  test('is relative to the config, among the settings, and in no spec and no key', async () => {
    put('here')
    put('deep/there')
    const [here, there] = [
      await asked(npz('from: here')),
      await asked(npz('from: ./deep/there', 'other.yaml')),
    ]
    expect(here.settings.dataDirectory).toBe(join(directory, 'here'))
    expect(there.settings.dataDirectory).toBe(join(directory, 'deep/there'))
    expect(there.run.id).toBe(here.run.id)
    expect(there.run.plan).toEqual(here.run.plan)
    expect(JSON.stringify([here.run.spec, here.run.plan, here.run.facts])).not.toContain('here')
  })

  test('is what the command line says, and dataDirectory before data.from', async () => {
    put('here')
    const path = npz('from: nowhere')
    const given = await asked(path, `data.from=${join(directory, 'here')}`)
    expect(given.settings.dataDirectory).toBe(join(directory, 'here'))
    const set = await asked(path, `dataDirectory=${join(directory, 'here')}`)
    expect(set.settings.dataDirectory).toBe(join(directory, 'here'))
  })

  test('may be a URL, which is left as it is', async () => {
    put('here')
    const { spec } = await prepared(npz('from: here'))
    const one: ConfigSource = { config: npz('from: "hf://datasets/someone/four@main"'), overrides: [] }
    const inspect: Inspection = {
      data(data, { dataDirectory }) {
        expect(dataDirectory).toBe('hf://datasets/someone/four@main')
        return inspectDataset(data, join(directory, 'here'))
      },
      labels: () => Promise.reject(new Error('no labels are asked for')),
      checkpoint: () => Promise.reject(new Error('no checkpoint is asked for')),
      names: () => Promise.reject(new Error('no names are asked for')),
      model: () => Promise.reject(new Error('no model is asked for')),
      layers: () => Promise.reject(new Error('no layers are asked for')),
      code: () => Promise.resolve({}),
    }
    const { run, settings } = await prepare(one, await readConfig(one), inspect)
    expect(settings.dataDirectory).toBe('hf://datasets/someone/four@main')
    // A URL is the same on every machine, and so is kept for whoever reads the report.
    expect(run.spec).toEqual({ ...spec, data: { ...spec.data, from: 'hf://datasets/someone/four@main' } })
  })

  test('has to be said for the user’s own, and to be there', async () => {
    expect(await problemsIn(npz('test: 0.5'))).toMatchObject([
      {
        line: 2,
        message: expect.stringMatching(/^npz has no files of its own; name as data\.from/) as string,
      },
    ])
    expect(await problemsIn(npz('from: nowhere'))).toMatchObject([
      {
        line: 2,
        column: 26,
        message: expect.stringMatching(/^data\.from: there is no directory .*nowhere/) as string,
      },
    ])
  })

  test('and whom to cite are in no key; how the data is read is', async () => {
    put('here')
    const key = async (data: string) => (await prepared(npz(`from: here, ${data}`))).plan.dataset.key
    const plain = await key('file: four.npz')
    expect(await key('file: four.npz, citation: "A. Author. Four, 2026."')).toBe(plain)
    expect(await key('file: four.npz, validation: 0.4')).not.toBe(plain)
    expect(await key('file: four.npz, classes: [a, b, c]')).not.toBe(plain)
  })
})
