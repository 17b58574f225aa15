import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { prepareSweep, readSweep } from '../../../../cli/launch/prepare-sweep.ts'
import { UserError } from '../../../../common/errors.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { fileDirectory } from '../../../support/directories.ts'

const directory = fileDirectory()

const base = `
name: base
data: { name: digits, validation: 0.1 }
split: { kind: class, classes: ['3'] }
model: { name: mlp, hidden: [8] }
training: { epochs: 1 }
methods:
  - method: retrain
  - { method: rfa, steps: 20 }
`
writeFileSync(join(directory, 'base.yaml'), base)
writeFileSync(join(directory, 'other.yaml'), base.replace('name: base', 'name: other').replace("'3'", "'5'"))

async function prepared(lines: string, overrides: readonly string[] = []) {
  const config = join(directory, 'sweep.yaml')
  writeFileSync(config, `name: ranks\nbase: base.yaml\n${lines}`)
  const asked = { config, overrides }
  return prepareSweep(asked, await readSweep(asked))
}

async function problemsOf(lines: string, overrides: readonly string[] = []): Promise<readonly string[]> {
  try {
    await prepared(lines, overrides)
  } catch (error) {
    if (error instanceof UserError)
      return error.problems.map(({ file, line, message }) => {
        const place = [file?.split('/').at(-1), line].filter((part) => part !== undefined).join(':')
        return `${place}: ${message}`
      })
    throw error
  }
  return []
}

const keysOf = ({ runs }: Awaited<ReturnType<typeof prepared>>) =>
  new Set([...runs.values()].flatMap(({ run }) => stagesOf(run.plan).map(({ key }) => key)))

describe('a sweep', () => {
  test('names the cells by what varies, with the values that the specs have', async () => {
    const { sweep } = await prepared(
      'set: { seeds: 3 }\ngrid: { "methods[1].rank": [1, 2] }\npoints: [{ "methods[1].lambda": 4 }]',
    )
    expect(sweep.columns).toEqual([
      { name: 'rank', path: 'methods[1].rank' },
      { name: 'lambda', path: 'methods[1].lambda' },
    ])
    expect(sweep.cells.map(({ values }) => values)).toEqual([
      [1, 1],
      [2, 1],
      [4, 4],
    ])
    expect(sweep.id).toMatch(/^ranks-[0-9a-f]{8}$/)
  })

  test('crosses bases, and calls them by their names', async () => {
    const { runs } = await prepared('grid: { "methods[1].rank": [1, 2] }')
    writeFileSync(
      join(directory, 'sweep.yaml'),
      'name: ranks\nbase: [base.yaml, other.yaml]\ngrid: { "methods[1].rank": [1, 2] }',
    )
    const asked = { config: join(directory, 'sweep.yaml'), overrides: [] }
    const both = await prepareSweep(asked, await readSweep(asked))
    expect(both.sweep.columns[0]).toEqual({ name: 'base', path: 'base' })
    expect(both.sweep.cells.map(({ values }) => values)).toEqual([
      ['base', 1],
      ['base', 2],
      ['other', 1],
      ['other', 2],
    ])
    for (const id of runs.keys()) expect(both.runs.has(id)).toBe(true)
  })

  test("with one more rank has that rank's own stages more, and no others", async () => {
    const [few, more] = [
      await prepared('grid: { "methods[1].rank": [1, 2] }'),
      await prepared('grid: { "methods[1].rank": [1, 2, 4] }'),
    ]
    const before = keysOf(few)
    const added = [...more.runs.values()]
      .flatMap(({ run }) => stagesOf(run.plan))
      .filter(({ key }) => !before.has(key))
    expect(added.map(({ kind }) => kind).sort()).toEqual(['attack', 'compare', 'evaluate', 'unlearn'])
  })

  test('gives each run the command that reproduces it', async () => {
    const { sweep, runs } = await prepared('grid: { "methods[1].rank": [2] }', ['seeds=2'])
    const [cell] = sweep.cells
    expect(runs.get(cell?.runs[0] ?? '')?.run.command).toEqual({
      config: join(directory, 'base.yaml'),
      overrides: ['seeds=2', 'methods[1].rank=2'],
    })
  })

  test('is refused where a point is no experiment, with the value at fault, before anything runs', async () => {
    expect(await problemsOf('grid: { "methods[1].rank": [2, 4000], "methods[1].steps": [1, 2] }')).toEqual([
      expect.stringMatching(/^sweep\.yaml:3: methods\[1\]\.rank=4000: rank 4000 is above/) as string,
    ])
    expect(await problemsOf('grid: { "methods[1].rnak": [2] }')).toEqual([
      'sweep.yaml:3: methods[1].rnak=2: unknown key "rnak"; did you mean "rank"?',
    ])
  })

  test.each([
    ['zip: [{ seeds: [1,\n 0] }]', [], 'sweep.yaml:4: seeds=0: seeds: expected a number at least 1, found 0'],
    [
      'points:\n  - seeds: 2\n  - seeds: -1',
      [],
      'sweep.yaml:5: seeds=-1: seeds: expected a number at least 1, found -1',
    ],
    [
      'random: { samples: 1, of:\n  { seeds: { from: -3, to: -2, whole: true } } }',
      [],
      expect.stringMatching(/^sweep\.yaml:4: seeds=-[23]: seeds: expected a number at least 1/) as string,
    ],
    [
      'grid: { seeds: [1] }\nset: { trainng.epochs: 3 }',
      [],
      expect.stringMatching(/^sweep\.yaml:4: trainng\.epochs=3: unknown key "trainng"/) as string,
    ],
    [
      'grid: { seeds: [1] }',
      ['split.classes=[11]'],
      expect.stringMatching(/^-S split\.classes=\[11\]: digits has no class 11/) as string,
    ],
    [
      'grid: { "methods[1].rank": [1, 2] }\nhalving: { resource: seeds, rungs: [9] }',
      [],
      expect.stringMatching(/^sweep\.yaml:4: halving: the rungs of seeds go up to 9/) as string,
    ],
  ])('names the place of what is wrong with a point: %s', async (lines, overrides, problem) => {
    expect(await problemsOf(lines, overrides)).toEqual([problem])
  })

  test.each([
    ['grid: { seeds: [1] }\nonly: { sed: { seeds: 1 } }', 4, 'nothing of the sweep sets sed; it sets: seeds'],
    [
      'grid: { seeds: [1, 2] }\nset: { training.epochs: 1 }\nonly: { seeds: { "methods[1].rank": 1 } }',
      5,
      'nothing of the sweep sets methods[1].rank; it sets: training.epochs, seeds',
    ],
    [
      'grid: { seeds: [1] }\nexclude:\n  - { seeds: 3 }\n  - { seeds: 1, seed: 2 }',
      6,
      'nothing of the sweep sets seed; did you mean "seeds"?',
    ],
    [
      'grid: { training: [{ epochs: 1 }], training.epochs: [1, 2] }',
      3,
      'training.epochs is a part of training, which grid varies as a whole; leave one of them out',
    ],
    [
      'grid: { training.epochs: [1] }\nzip: [{ training: [{ epochs: 2 }] }]',
      3,
      'training.epochs is a part of training, which zip varies as a whole; leave one of them out',
    ],
    [
      'set: { training.epochs: 3 }\ngrid: { training: [{ epochs: 1 }] }',
      3,
      'training.epochs is a part of training, which grid varies as a whole; leave one of them out',
    ],
  ])('is refused where its parts do not fit: %s', async (lines, line, message) => {
    expect(await problemsOf(lines)).toEqual([`sweep.yaml:${line}: ${message}`])
  })

  test('is refused where a count is more than the drawn training samples of its classes', async () => {
    const split = (count: number) =>
      `grid: { split: [{ kind: class-fraction, classes: ['3'], count: ${count} }] }`
    const [refused] = await problemsOf(split(183), ['data.validation=0.4'])
    const samples = Number(
      /^sweep\.yaml:3: .*the classes have (\d+) training samples, and 183 are/.exec(refused ?? '')?.[1],
    )
    expect(samples).toBeLessThan(100)
    expect(await problemsOf(split(samples), ['data.validation=0.4'])).toEqual([])
    expect(await problemsOf(split(samples + 1), ['data.validation=0.4'])).toHaveLength(1)
    expect(await problemsOf(split(184), ['data.validation=0'])).toHaveLength(1)
  })

  test('may be conditional on its base, and on what -S sets', async () => {
    const conditions =
      'grid: { seeds: [1, 2] }\nonly: { seeds: { base: base.yaml } }\nexclude: [{ training.epochs: 1, seeds: 2 }]'
    expect((await prepared(conditions, ['training.epochs=1'])).sweep.cells).toHaveLength(1)
  })

  test('is refused where -S sets what it varies', async () => {
    expect(await problemsOf('grid: { "methods[1].rank": [2] }', ['methods[1].rank=3'])).toEqual([
      `-S methods[1].rank=3: ${join(directory, 'sweep.yaml')} varies methods[1].rank; change it there`,
    ])
  })

  test('has a run for each rung, and is refused where the rungs do not fit or nothing is validated', async () => {
    const halving = (more: string) =>
      `grid: { "methods[1].rank": [1, 2] }\nhalving: { resource: "methods[1].steps", rungs: [5], ${more} }`
    const { sweep, runs } = await prepared(halving(''))
    expect(sweep.cells.map(({ runs }) => runs.length)).toEqual([2, 2])
    expect(runs.size).toBe(4)
    const steps = sweep.cells[0]?.runs.map((id) => runs.get(id)?.run.spec.methods[1])
    expect(steps).toMatchObject([{ steps: 5 }, { steps: 20 }])
    expect(await problemsOf(halving('of: fra'))).toEqual([
      expect.stringContaining('one of rfa; found fra') as string,
    ])
    expect(await problemsOf(halving('').replace('[5]', '[50]'))).toEqual([
      expect.stringContaining('a point has 20 there; expected more than 50') as string,
    ])
    expect(await problemsOf(halving(''), ['data.validation=0'])).toEqual([
      expect.stringContaining('give it data.validation') as string,
    ])
  })
})
