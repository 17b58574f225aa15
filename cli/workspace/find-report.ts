import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { z } from 'zod'
import { reportSignatures, type Artifacts } from '../../artifacts/artifacts.ts'
import { signaturesIn } from '../../artifacts/signed.ts'
import { UserError } from '../../common/errors.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import type { RunSettings } from '../../experiment/records/run.ts'
import { parsed } from '../../report/published.ts'
import { MOST_ENVELOPE_BYTES } from '../../signatures/envelope.ts'
import { artifactsIn } from './existing-store.ts'
import { whereOf } from '../output/print.ts'

/** A run's `report.json`, before anything in it is believed. */
export interface FoundReport {
  readonly text: string
  /** For people. */
  readonly where: string
  readonly signatures: readonly FoundSignature[]
  /** Where this machine had the run's data, where the report was found by the run's id. */
  readonly dataDirectory?: RunSettings['dataDirectory']
  readonly modelDirectory?: RunSettings['modelDirectory']
}

/** An envelope that was found with a report. */
export interface FoundSignature {
  /** For people. */
  readonly where: string
  readonly text: string
}

export interface ReportSelection {
  /** One of the runs of a comparison. */
  readonly run?: string
  readonly store?: string
}

/** By a path to it or to its folder, else by a run's id in the store. Throws a UserError. */
export async function findReport(target: string, { run, store }: ReportSelection): Promise<FoundReport> {
  const found = await stat(target).catch(() => undefined)
  if (!found) return reportOf(target, await artifactsIn(store), run)
  const file = found.isDirectory() ? join(target, 'report.json') : target
  const text = await textOf(file)
  const runs = comparedRuns(parsed(text, file))
  if (!runs) return { text, where: file, signatures: await signaturesBeside(file) }
  return reportBeside(file, pick(runs, run, file))
}

async function reportOf(id: string, artifacts: Artifacts, run: string | undefined): Promise<FoundReport> {
  const sweep = await artifacts.sweep(id)
  if (sweep) {
    const runs = sweep.cells.flatMap(({ runs }) => runs.slice(-1).map((id) => ({ id })))
    return reportOf(pick(runs, run, id).id, artifacts, undefined)
  }
  const [text, record, signatures] = await Promise.all([
    artifacts.reportJson(id),
    artifacts.run(id),
    signaturesIn(artifacts, reportSignatures(id)),
  ])
  if (text === undefined)
    throw new UserError(
      record
        ? `the run ${id} has no report yet; it gets one at its end: ./zeroshift resume ${id}`
        : `there is no file and no folder "${id}", and no run of that id in the store ${artifacts.store.url}; ` +
            "expected a report.json, its folder, or a run's id",
    )
  const { dataDirectory, modelDirectory } = record?.settings ?? {}
  return {
    text,
    where: whereOf(artifacts.store.locate(`runs/${id}/report/report.json`)),
    signatures: signatures.map(({ path, text }) => ({ where: whereOf(artifacts.store.locate(path)), text })),
    ...(dataDirectory !== undefined && { dataDirectory }),
    ...(modelDirectory !== undefined && { modelDirectory }),
  }
}

/** What this reads of a comparison's report.json: where the runs' own pages are stands in the clock's part. */
const comparisonSchema = z.object({
  computed: z.object({ runs: z.array(z.object({ id: z.string() })) }),
  clock: z.object({ runs: z.array(z.object({ id: z.string(), report: z.string().optional() })).min(1) }),
})
type ComparedRun = z.output<typeof comparisonSchema>['clock']['runs'][number]

/** Those that the report of a sweep or a comparison has side by side; undefined where it is none. */
function comparedRuns(value: unknown): readonly ComparedRun[] | undefined {
  return comparisonSchema.safeParse(value).data?.clock.runs
}

const SHOWN = 10
/** Reports are a few MB. */
const MOST_BYTES = 2 ** 28

function pick(runs: readonly ComparedRun[], wanted: string | undefined, file: string): ComparedRun {
  const found = runs.find(({ id }) => id === wanted)
  if (found) return found
  const ids = runs.slice(0, SHOWN).map(({ id }) => id)
  const more = runs.length > SHOWN ? ` and ${runs.length - SHOWN} more` : ''
  const why =
    wanted === undefined
      ? 'this report compares runs, which are verified one at a time: name one with --run'
      : `this report compares no run '${wanted}'`
  throw new UserError([{ file, message: `${why}. It has ${ids.join(', ')}${more}` }])
}

/** The `report.json` in the folder of the page that a comparison links to. */
async function reportBeside(file: string, { id, report }: ComparedRun): Promise<FoundReport> {
  if (report === undefined)
    throw new UserError([{ file, message: `the run ${id} has no report of its own that this one links to` }])
  const { href: base } = pathToFileURL(file)
  const page = URL.canParse(report, base) ? new URL(report, base) : null
  if (page !== null && page.protocol !== 'file:') {
    const { href } = new URL('report.json', page)
    throw new UserError([
      { file, message: `the report of ${id} is at ${href}; fetch its report.json and name that` },
    ])
  }
  const where = page && pathOf(new URL('report.json', page))
  if (where === null)
    throw new UserError([
      { file, message: `the report of ${id} is at "${report}", which is no file of this machine` },
    ])
  return { text: await textOf(where), where, signatures: await signaturesBeside(where) }
}

/** What is added to a report's file name: the file has an envelope in each line, as in-toto has it. */
export const SIGNATURES_SUFFIX = '.intoto.jsonl'

/**
 * The signatures of a published report are in one file beside it. Those of a report in a store have
 * a folder beside the report's.
 */
async function signaturesBeside(file: string): Promise<readonly FoundSignature[]> {
  const published = `${file}${SIGNATURES_SUFFIX}`
  const lines = (await textUnlessMissing(published)).split('\n')
  const folder = join(dirname(dirname(file)), 'report.signatures')
  const isStored = basename(dirname(file)) === 'report'
  const names = isStored ? await readdir(folder).catch(() => []) : []
  const stored = names.sort().map(async (name) => {
    const where = join(folder, name)
    return { where, text: await textUnlessMissing(where) }
  })
  return [
    ...lines.flatMap((text, i) => (text.trim() === '' ? [] : [{ where: `${published}:${i + 1}`, text }])),
    ...(await Promise.all(stored)),
  ]
}

async function textUnlessMissing(file: string): Promise<string> {
  try {
    return (await readRegularFile(file, { mostBytes: MOST_ENVELOPE_BYTES })).toString()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    const reason = whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([{ file, message: `${reason}; expected signatures of the report` }])
  }
}

/** null: it is the URL of another machine's file, or of none. */
function pathOf(url: URL): string | null {
  try {
    return fileURLToPath(url)
  } catch {
    return null
  }
}

async function textOf(file: string): Promise<string> {
  const bytes = await readRegularFile(file, { mostBytes: MOST_BYTES }).catch((error: unknown) => {
    const reason = whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([{ file, message: `${reason}; expected the report.json of a run` }])
  })
  return bytes.toString()
}
