import { UserError } from '../../common/errors.ts'
import { digestOf } from '../../common/canonical.ts'
import { parsePath, formatPath } from '../../common/path.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { inLedger, parseLedger, type ParsedLedger } from '../../experiment/ledger/config.ts'
import type { LedgerRecord, RequestedSample } from '../../experiment/ledger/ledger.ts'
import { wholeSpec, withoutLedgerPlaces } from '../../experiment/ledger/step.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { checkSpec } from '../../experiment/spec/check.ts'
import { located } from '../../experiment/spec/config.ts'
import { checkIndices, parseIndices } from '../../experiment/spec/indices.ts'
import { namedSamples } from '../../experiment/spec/names.ts'
import { setSizes } from '../../experiment/spec/sets.ts'
import type { Spec } from '../../experiment/spec/spec.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import { completeGiven } from './given-models.ts'
import type { Inspection } from './inspection.ts'
import { completeModel } from './prepare.ts'
import { configText, refuseOtherKind, type ConfigSource } from './read-config.ts'
import { runSettings } from './run-settings.ts'

/** Reads the config of a ledger without reading any data. Throws a UserError. */
export async function readLedgerConfig(config: string): Promise<ParsedLedger> {
  const text = await configText(config, "a ledger's")
  refuseOtherKind(config, text, 'ledger')
  return parseLedger({ file: config, text })
}

/** A ledger whose data and models have been read. */
export interface PreparedLedger {
  readonly record: LedgerRecord
  /** The URL of the store. */
  readonly store: string
  /** Throws a UserError if some step cannot forget these samples and no others. */
  readonly check: (forgotten: readonly number[]) => void
}

type Source = Pick<ConfigSource, 'config' | 'store'>

/** Returns the settings of the runs of a ledger. */
export function ledgerSettings(source: Source, parsed: ParsedLedger): RunInput['settings'] {
  const whole = { ...parsed, spec: wholeSpec(parsed.spec, []) }
  return runSettings({ ...source, overrides: [] }, whole)
}

/** Reads the data and the models that a ledger names. Throws a UserError. */
export async function prepareLedger(
  source: Source,
  parsed: ParsedLedger,
  inspect: Inspection,
): Promise<PreparedLedger> {
  const { spec, locate } = parsed
  const of = { ...source, overrides: [] }
  const { store, ...settings } = ledgerSettings(source, parsed)
  try {
    const whole = wholeSpec(spec, [])
    const model = await completeModel(whole.model, { ...settings, store }, of, inspect)
    const facts = await inspect.data(whole.data, { ...settings, store })
    const { spec: completed, places } = await completeGiven({ ...whole, model }, facts, of, inspect)
    const { original } = completed
    const recorded = withoutLedgerPlaces({ ...spec, model, ...(original && { original }) })
    return {
      record: {
        format: 1,
        name: spec.name,
        digest: digestOf(recorded),
        spec: recorded,
        facts,
        config: source.config,
        settings: { ...settings, ...(Object.keys(places).length > 0 && { places }) },
      },
      store,
      check: (forgotten) => {
        checkWhole(completed, forgotten, facts, parsed)
      },
    }
  } catch (error) {
    throw error instanceof UserError ? located(error, locate) : error
  }
}

/** Checks the ledger as one experiment that has all steps as its rows. */
function checkWhole(
  spec: Spec,
  forgotten: readonly number[],
  facts: DatasetFacts,
  { locate }: ParsedLedger,
): void {
  try {
    checkSpec({ ...spec, split: { kind: 'indices', indices: [...forgotten] } }, facts, (path) =>
      locate(inLedger(path)),
    )
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(
      error.problems.map(({ path, ...problem }) => ({
        ...problem,
        ...(path !== undefined && { path: formatPath(inLedger(parsePath(path) ?? [path])) }),
      })),
    )
  }
}

/** How a command names samples. */
export interface NamedSamples {
  /** A file with one name in a line. */
  readonly names?: string | undefined
  /** Numbers that are separated by commas. */
  readonly indices?: string | undefined
}

/**
 * Returns the training samples that a command names, in ascending order of their numbers. Throws a
 * UserError if a name or a number is not that of a training sample.
 */
export async function requestedSamples(
  { names: file, indices: text }: NamedSamples,
  { record: { spec, facts, settings }, store }: PreparedLedger,
  inspect: Pick<Inspection, 'names'>,
): Promise<readonly RequestedSample[]> {
  const { names, trainable } = await inspect.names(spec.data, { ...settings, store })
  const indices =
    file === undefined
      ? indicesIn(text ?? '')
      : await indicesOfNames(file, { names, trainable, of: spec.data.name })
  const { partition } = await import('../../learning/data/partition.ts')
  const samples = facts.train.reduce((sum, count) => sum + count, 0)
  checkIndices(indices, partition(setSizes(spec.data, facts), samples, spec.seed.data), file ?? '--indices')
  return indices.map((index) => ({ id: names?.[index] ?? String(index), index }))
}

function indicesIn(text: string): readonly number[] {
  if (text.trim() === '') throw new UserError('--indices names no sample; expected numbers such as 3,5')
  return parseIndices(text, '--indices')
}

async function indicesOfNames(
  file: string,
  { names, trainable, of }: { readonly names?: readonly string[] | undefined; trainable: number; of: string },
): Promise<readonly number[]> {
  if (!names)
    throw new UserError(`the samples of ${of} have no names; give their numbers, such as --indices 3,5`)
  const bytes = await readRegularFile(file).catch((error: unknown) => {
    const reason = whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([{ file, message: `${reason}; expected a text file of names of samples` }])
  })
  return namedSamples(bytes, file, { names, trainable }).indices
}
