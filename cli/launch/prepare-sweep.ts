import { resolve } from 'node:path'
import { columnNames } from '../../experiment/sweep/column-names.ts'
import type { ComparedColumn, ShownValue } from '../../experiment/sweep/comparison.ts'
import { canonicalJson, digestOf } from '../../common/canonical.ts'
import { overrideName, overrideText, readOverrides } from '../../experiment/spec/config-overrides.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { formatPath, parsePath, type Locate, type Place } from '../../common/path.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import { shownValue } from '../../experiment/sweep/shown-value.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import type { Spec } from '../../experiment/spec/spec.ts'
import { specValue } from '../../experiment/spec/spec-value.ts'
import { checkSpace, parseSweep } from '../../experiment/sweep/config.ts'
import { pointsOf, type SweepPoint } from '../../experiment/sweep/points.ts'
import { basesOf, type HalvingSpec, type SweepSpace } from '../../experiment/sweep/space.ts'
import type { Cell, SweepRecord } from '../../experiment/sweep/sweep.ts'
import { absoluteFromConfig } from '../workspace/workspace.ts'
import { createInspection, type Inspection } from './inspection.ts'
import { prepare } from './prepare.ts'
import { createPluginLoader } from '../plugins/load.ts'
import { configText, parsedWithPlugins, refuseOtherKind, type ConfigSource } from './read-config.ts'
import { sweepPlaces } from './locate-problem.ts'

/** A sweep that is ready to run. */
export interface PreparedSweep {
  readonly sweep: SweepRecord
  /**
   * The runs of all cells by id, each once. The runs of a cell's rungs come before the cell's own.
   */
  readonly runs: ReadonlyMap<string, RunInput>
  readonly store: string
}

export interface ParsedSweep {
  readonly space: SweepSpace
  /**
   * Returns the place of a part of the sweep in its file. For a value from `-S` it names the
   * option.
   */
  readonly locate: Locate
}

/**
 * Reads a sweep's config. `-S` sets a value for every experiment, like `set`. Throws a UserError.
 */
export async function readSweep({ config, overrides }: ConfigSource): Promise<ParsedSweep> {
  const text = await configText(config, "a sweep's")
  refuseOtherKind(config, text, 'sweep')
  const { space, locate } = parseSweep({ file: config, text })
  const { overrides: read, problems } = readOverrides(overrides)
  const varied = new Set([
    ...Object.keys(space.grid ?? {}),
    ...(space.zip ?? []).flatMap((group) => Object.keys(group)),
    ...Object.keys(space.random?.of ?? {}),
  ])
  const all = [
    ...problems,
    ...read.flatMap(({ text, path }): Problem[] =>
      varied.has(formatPath(path))
        ? [{ file: `-S ${text}`, message: `${config} varies ${formatPath(path)}; change it there` }]
        : [],
    ),
  ]
  if (all.length > 0) throw new UserError(all)
  const more = Object.fromEntries(read.map(({ path, value }) => [formatPath(path), value]))
  const whole = read.length > 0 ? { ...space, set: { ...space.set, ...(more as SweepSpace['set']) } } : space
  const texts = new Map(read.map(({ path, text }) => [formatPath(path), text]))
  const locateValue: Locate = (at) => {
    const text = at[0] === 'set' ? texts.get(String(at[1])) : undefined
    return text === undefined ? locate(at) : { file: overrideName(text) }
  }
  const problemsOfSpace = checkSpace(whole, locateValue)
  if (problemsOfSpace.length > 0) throw new UserError(problemsOfSpace)
  return { space: whole, locate: locateValue }
}

/** Checks the experiment of every point before any work starts. Throws a UserError. */
export async function prepareSweep(
  source: ConfigSource,
  { space, locate }: ParsedSweep,
  notify?: (line: string) => void,
): Promise<PreparedSweep> {
  const { config, overrides } = source
  const inspect = memoised(createInspection(notify))
  const loadPlugins = createPluginLoader()
  const texts = new Map<string, string>()
  for (const base of basesOf(space)) {
    const file = absoluteFromConfig(config, base)
    texts.set(base, await configText(file, "the base experiment's"))
  }
  const runs = new Map<string, RunInput>()
  const cells: { readonly point: SweepPoint; readonly spec: Spec; readonly runs: readonly string[] }[] = []
  const problems = new Map<string, Problem>()
  const inSweep = sweepPlaces(space, locate)

  for (const point of pointsOf(space)) {
    const given = Object.entries(point.set).map(([path, value]) => overrideText(path, value))
    const one = async (more: readonly string[]): Promise<RunInput> => {
      const file = baseFile(config, point.base)
      const of = { ...source, config: file, overrides: [...given, ...more] }
      const text = texts.get(point.base) ?? ''
      const parsed = await parsedWithPlugins({ file, text, overrides: of.overrides }, loadPlugins)
      const input = await prepare(of, parsed, inspect)
      const { tracking } = input.settings
      const settings = {
        ...input.settings,
        ...(tracking && { tracking: { ...tracking, experiment: tracking.experiment ?? space.name } }),
      }
      runs.set(input.run.id, { ...input, settings })
      return input
    }
    try {
      const whole = await one([])
      const rungs: string[] = []
      if (space.halving) {
        checkHalving(space.halving, whole.run.spec, locate(['halving']))
        for (const rung of space.halving.rungs)
          rungs.push((await one([overrideText(space.halving.resource, rung)])).run.id)
      }
      cells.push({ point, spec: whole.run.spec, runs: [...rungs, whole.run.id] })
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      for (const problem of error.problems.map(inSweep(point))) problems.set(canonicalJson(problem), problem)
    }
  }
  if (problems.size > 0) throw new UserError(firstOf([...problems.values()]))

  const { columns, values } = columnsOf(cells, space)
  const all = cells.map(({ runs }, i): Cell => ({ values: values[i] ?? [], runs }))
  const [first] = runs.values()
  if (!first) throw new UserError(`${config} has no points`)
  const { store, tracking } = first.settings
  const sweep: SweepRecord = {
    id: sweepId(space, all),
    name: space.name,
    command: { config, overrides },
    space,
    columns,
    // Points that give the same experiment become one cell.
    cells: [...new Map(all.map((cell) => [cell.runs.at(-1) ?? '', cell])).values()],
    ...(tracking && { tracking }),
  }
  return { sweep, runs, store }
}

/**
 * Returns a sweep's id: its name and the first 8 hexadecimal digits of the digest of its first
 * runs. A sweep that is extended keeps its id.
 */
function sweepId({ name, halving }: SweepSpace, cells: readonly Cell[]): string {
  const rule = halving && { metric: halving.metric, of: halving.of ?? null, factor: halving.factor }
  return `${name}-${digestOf([cells.map(({ runs }) => runs), rule ?? null]).slice(0, 8)}`
}

/** Returns the base's path as a person would write it on the command line. */
function baseFile(config: string, base: string): string {
  const file = absoluteFromConfig(config, base)
  const here = `${resolve('.')}/`
  return file.startsWith(here) ? file.slice(here.length) : file
}

const MOST_PROBLEMS = 10

function firstOf(problems: readonly Problem[]): readonly Problem[] {
  const more = problems.length - MOST_PROBLEMS
  return more > 0
    ? [...problems.slice(0, MOST_PROBLEMS), { message: `and ${more} more problems like these` }]
    : problems
}

/**
 * Returns an inspection that reads and hashes each data set and each model once, even if many
 * points use it.
 */
function memoised(inspect: Inspection): Inspection {
  const data = new Map<string, ReturnType<Inspection['data']>>()
  const labels = new Map<string, ReturnType<Inspection['labels']>>()
  const names = new Map<string, ReturnType<Inspection['names']>>()
  const models = new Map<string, ReturnType<Inspection['model']>>()
  const checkpoints = new Map<string, ReturnType<Inspection['checkpoint']>>()
  const filesOf = ({ validation: _, ...files }: DataSpec, settings: RunInput['settings']) =>
    canonicalJson({ files, directory: settings.dataDirectory ?? null })
  return {
    data: (spec, settings) => once(data, filesOf(spec, settings), () => inspect.data(spec, settings)),
    labels: (spec, settings) => once(labels, filesOf(spec, settings), () => inspect.labels(spec, settings)),
    names: (spec, settings) => once(names, filesOf(spec, settings), () => inspect.names(spec, settings)),
    checkpoint: (settings) =>
      once(checkpoints, settings.modelDirectory ?? '', () => inspect.checkpoint(settings)),
    model: (place, wanted) =>
      once(models, canonicalJson({ place, wanted: { ...wanted } }), () => inspect.model(place, wanted)),
    layers: (...model) => inspect.layers(...model),
    code: (bodies) => inspect.code(bodies),
  }
}

/** Returns the value of a key, which is made the first time. */
function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make()
  known.set(key, value)
  return value
}

function checkHalving({ resource, rungs, of, metric }: HalvingSpec, spec: Spec, position: Place): void {
  const own = specValue(spec, parsePath(resource) ?? [])
  const last = rungs.at(-1) ?? 0
  const refuse = (message: string): never => {
    throw new UserError([{ ...position, path: 'halving', message: `halving: ${message}` }])
  }
  if (typeof own !== 'number' || own <= last)
    refuse(
      `the rungs of ${resource} go up to ${last}, and a point has ${JSON.stringify(own) ?? 'nothing'} there; expected more than ${last}`,
    )
  if (spec.data.validation === 0)
    refuse(`${metric} is measured on validation samples, and a point has none; give it data.validation`)
  const labels = spec.methods.flatMap(({ method, label }) =>
    method === 'original' || method === 'retrain' ? [] : [label ?? method],
  )
  if (of === undefined ? labels.length !== 1 : !labels.includes(of))
    refuse(
      `of: expected the label of the method that decides, one of ${labels.join(', ')}; found ${of ?? 'none'}`,
    )
}

/**
 * Returns the columns in which the cells differ: the paths that vary, and the base if there are
 * several.
 */
function columnsOf(
  cells: readonly { readonly point: SweepPoint; readonly spec: Spec }[],
  space: SweepSpace,
): { readonly columns: readonly ComparedColumn[]; readonly values: readonly (readonly ShownValue[])[] } {
  const paths = [...new Set(cells.flatMap(({ point }) => Object.keys(point.set)))]
  const given = paths.map((path) => ({
    path,
    // The spec does not contain the directory of the data, but cells may differ in it.
    of: cells.map(({ spec, point }) => specValue(spec, parsePath(path) ?? []) ?? point.set[path]),
  }))
  const bases = basesOf(space).length > 1 ? [{ path: 'base', of: cells.map(({ spec }) => spec.name) }] : []
  const varied = [...bases, ...given].filter(({ of }) => new Set(of.map(json)).size > 1)
  const names = columnNames(varied.map(({ path }) => path))
  const shown = varied.map(({ of }) => distinct(of))
  return {
    columns: varied.map(({ path }, i) => ({ path, name: names[i] ?? path })),
    values: cells.map((_, i) => shown.map((column) => column[i] ?? null)),
  }
}

/** Returns the values as they are shown. Different values get different texts. */
function distinct(values: readonly unknown[]): readonly ShownValue[] {
  const shown = values.map(shownValue)
  const meanings = new Map<ShownValue, Set<string>>()
  values.forEach((value, i) => {
    const one = shown[i] ?? null
    meanings.set(one, (meanings.get(one) ?? new Set()).add(json(value)))
  })
  return shown.map((one, i) => ((meanings.get(one)?.size ?? 0) > 1 ? json(values[i]) : one))
}

const json = (value: unknown) => (value === undefined ? 'null' : canonicalJson(value))
