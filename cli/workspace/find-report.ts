import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { reportSignatures } from '../../artifacts/format/layout.ts'
import { signaturesIn } from '../../artifacts/stored-signatures.ts'
import { UserError } from '../../common/errors.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { MissingBlobError } from '../../artifacts/blobs/blob-errors.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { RunSettings } from '../../experiment/records/run.ts'
import { parsed } from '../../report/published.ts'
import { MOST_ENVELOPE_BYTES } from '../../signatures/envelope.ts'
import { artifactsIn } from './existing-store.ts'
import { idIn } from './named-run.ts'
import { pathOrUrl } from '../output/print.ts'

/** A run's `report.json` before its contents are checked. */
export interface FoundReport {
  readonly text: string
  /** The place of the report, for people. */
  readonly where: string
  readonly signatures: readonly FoundSignature[]
  /**
   * The directory of the run's data on this machine, known if the report was found by the run's id.
   */
  readonly dataDirectory?: RunSettings['dataDirectory']
  readonly modelDirectory?: RunSettings['modelDirectory']
  readonly places?: RunSettings['places']
  /** Returns the bytes of an attachment of the run, if they are where the report is. */
  readonly attachment: (blob: BlobRef) => Promise<Uint8Array | undefined>
}

/** An envelope that was found with a report. */
export interface FoundSignature {
  /** The place of the envelope, for people. */
  readonly where: string
  readonly text: string
}

export interface ReportSelection {
  /** The id of one of the runs of a comparison. */
  readonly run?: string
  readonly store?: string
}

/**
 * Finds a report by a path to it or to its folder, or else by a run's id in the store. Throws a
 * UserError.
 */
export async function findReport(target: string, { run, store }: ReportSelection): Promise<FoundReport> {
  const found = await stat(target).catch(() => undefined)
  if (!found) {
    const artifacts = await artifactsIn(store)
    const id = await idIn(artifacts.store, target)
    return reportOf(id, artifacts, run)
  }
  const file = found.isDirectory() ? join(target, 'report.json') : target
  const text = await reportText(file)
  const runs = comparedRuns(parsed(text, file))
  if (!runs) return reportIn(file, text)
  return reportBeside(file, pick(runs, run, file))
}

async function reportIn(file: string, text: string): Promise<FoundReport> {
  const attachment = ({ sha256 }: BlobRef) =>
    readRegularFile(join(dirname(file), ATTACHMENTS, `${sha256}.mjs`), { mostBytes: MOST_BYTES }).catch(
      (error: unknown) => {
        if (whyUnreadable(error) === undefined) throw error
        return undefined
      },
    )
  return { text, where: file, signatures: await signaturesBeside(file), attachment }
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
  const { dataDirectory, modelDirectory, places } = record?.settings ?? {}
  return {
    text,
    where: pathOrUrl(artifacts.store.locate(`runs/${id}/report/report.json`)),
    signatures: signatures.map(({ path, text }) => ({
      where: pathOrUrl(artifacts.store.locate(path)),
      text,
    })),
    attachment: (blob) =>
      artifacts.getBlob(blob).catch((error: unknown) => {
        if (!(error instanceof MissingBlobError)) throw error
        return undefined
      }),
    ...(dataDirectory !== undefined && { dataDirectory }),
    ...(modelDirectory !== undefined && { modelDirectory }),
    ...(places && { places }),
  }
}

/**
 * The parts of a comparison's report.json that this module reads. The links to the runs' own pages
 * are in the clock's part.
 */
const comparisonSchema = z.object({
  computed: z.object({ runs: z.array(z.object({ id: z.string() })) }),
  clock: z.object({ runs: z.array(z.object({ id: z.string(), report: z.string().optional() })).min(1) }),
})
type ComparedRun = z.output<typeof comparisonSchema>['clock']['runs'][number]

/**
 * Returns the runs that the report of a sweep or a comparison compares, or undefined if it is no
 * such report.
 */
function comparedRuns(value: unknown): readonly ComparedRun[] | undefined {
  return comparisonSchema.safeParse(value).data?.clock.runs
}

const SHOWN = 10
/** Reports have a few MB. */
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

/** Returns the `report.json` in the folder of the page that a comparison links to. */
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
  return reportIn(where, await reportText(where))
}

/**
 * The ending that is added to a report's file name for its signatures. The file has one envelope
 * per line, the format of in-toto.
 */
export const SIGNATURES_SUFFIX = '.intoto.jsonl'

/** The folder beside a published report that has the attachments of its run. */
export const ATTACHMENTS = 'plugins'

/**
 * Returns the signatures of a report in a file. A published report has them in one file beside it,
 * a report in a store in a folder beside the report's folder.
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

/** Returns null if the URL names no file of this machine. */
function pathOf(url: URL): string | null {
  try {
    return fileURLToPath(url)
  } catch {
    return null
  }
}

async function reportText(file: string): Promise<string> {
  const bytes = await readRegularFile(file, { mostBytes: MOST_BYTES }).catch((error: unknown) => {
    const reason = whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([{ file, message: `${reason}; expected the report.json of a run` }])
  })
  return bytes.toString()
}
