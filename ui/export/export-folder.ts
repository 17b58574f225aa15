import type { Artifacts } from '../../artifacts/artifacts.ts'
import { canonicalJson } from '../../common/canonical.ts'
import { inOrder } from '../../common/concurrency.ts'
import {
  answerScript,
  answerScriptPath,
  paths,
  type Neighbours,
  type RunEntry,
  type RunList,
  type RunView,
  type SampleTable,
  type Session,
} from '../contract.ts'
import { RefusedRequest, type Answer } from '../server/answers/answer.ts'
import { answerCaches, type AnswerContext } from '../server/answers/context.ts'
import type { PageFiles } from '../server/page-files.ts'
import { routeFor } from '../server/routes.ts'
import { RunReader } from '../server/run-reader.ts'

export interface ExportOptions {
  readonly artifacts: Artifacts
  /** The files of the built page. */
  readonly page: PageFiles
  readonly version: string
  readonly runs: readonly string[]
  /** Whether images of samples are among the files. */
  readonly withImages: boolean
}

/** The files of an export, by their paths. */
export type ExportedFiles = ReadonlyMap<string, Uint8Array>

/** The most scores of an attack that an export contains. A larger run is exported without them. */
const MOST_SCORES = 2 ** 18

/** The comment in index.html that the scripts of the first answers replace. */
const PLACE = '<!-- answers -->'

/**
 * Returns the page with the answers about some runs as files, which a browser opens from disk. The
 * same results in the store give the same bytes. Throws a RefusedRequest for an unknown run.
 */
export async function exportFiles(options: ExportOptions): Promise<ExportedFiles> {
  const { page, version, withImages } = options
  const runs = [...new Set(options.runs)].sort()
  const context = await storeContext(options)
  const views = await inOrder(runs, async (id) => exportedView(await jsonAt(context, paths.run(id))))
  const list: RunList = { runs: views.map(({ entry }) => entry).sort((a, b) => (a.id < b.id ? -1 : 1)) }
  const session: Session = { version, exported: true }
  const answers = new Map<string, unknown>([
    [paths.session(), session],
    [paths.runs(), list],
    ...views.map((view) => [paths.run(view.entry.id), view] as const),
  ])
  for (const some of comparedSubsets(runs))
    answers.set(paths.comparison(some), await jsonAt(context, paths.comparison(some)))
  const images = new Map<string, Uint8Array>()
  for (const run of runs) {
    for (const path of [paths.outcomes(run), paths.features(run)]) {
      const answer = await jsonIfThere(context, path)
      if (answer !== undefined) answers.set(path, answer)
    }
    const samples = (await jsonIfThere(context, paths.samples(run))) as SampleTable | undefined
    if (!samples) continue
    const { shape: _, ...withoutImages } = samples
    const attacks = samples.number.length * samples.models.length > MOST_SCORES ? [] : samples.attacks
    answers.set(paths.samples(run), { ...(withImages ? samples : withoutImages), attacks })
    for (const attack of attacks) {
      const path = paths.scores(run, attack)
      answers.set(path, await jsonAt(context, path))
    }
    if (!withImages || !samples.shape) continue
    const shown = new Set<number>()
    for (const number of forgetNumbers(samples)) {
      const path = paths.neighbours(run, number)
      const neighbours = (await jsonAt(context, path)) as Neighbours
      answers.set(path, neighbours)
      shown.add(number)
      for (const near of [...neighbours.retained, ...neighbours.test]) shown.add(near.number)
    }
    for (const number of shown) {
      const image = await answerAt(context, paths.image(run, number))
      if ('bytes' in image) images.set(paths.image(run, number), image.bytes)
    }
  }
  return new Map([...pageWith(page, answers.keys().next().value ?? ''), ...scriptsOf(answers), ...images])
}

/** The most comparisons of an export. Each of them is a file. */
const MOST_COMPARISONS = 64

/**
 * The sets of runs whose comparison an export has: all sets if there are not too many of them, else
 * all pairs if these are not too many, and in any case all runs together.
 */
export function comparedSubsets(runs: readonly string[]): readonly (readonly string[])[] {
  if (runs.length < 2) return []
  const { length } = runs
  if (2 ** length - length - 1 <= MOST_COMPARISONS)
    return Array.from({ length: 2 ** length }, (_, bits) =>
      runs.filter((_, i) => Math.floor(bits / 2 ** i) % 2 === 1),
    ).filter((some) => some.length > 1)
  const pairs = runs.flatMap((one, i) => runs.slice(i + 1).map((other) => [one, other]))
  return [...(pairs.length < MOST_COMPARISONS ? pairs : []), runs]
}

/** The answers of the store alone: no Temporal server is asked, and nothing is changed. */
async function storeContext({ artifacts, version }: ExportOptions): Promise<AnswerContext> {
  const reader = new RunReader(artifacts, {
    live: () => Promise.resolve(undefined),
    estimate: () => Promise.resolve(new Map()),
    lastCheck: () => Promise.resolve(undefined),
  })
  const snapshot = await reader.read({ runs: new Set(), sweeps: new Set() })
  return {
    artifacts,
    snapshot: () => Promise.resolve(snapshot),
    session: () => Promise.resolve({ version, exported: true }),
    lastCheck: () => Promise.resolve(undefined),
    ...{ inputs: new Map(), compared: new Map() },
    ...answerCaches(),
  }
}

function answerAt(context: AnswerContext, path: string): Promise<Answer> {
  const found = routeFor(path)
  if (!found) throw new RefusedRequest(404, `there is no answer ${path}`)
  return found.route(context, found.params)
}

async function jsonAt(context: AnswerContext, path: string): Promise<unknown> {
  const answer = await answerAt(context, path)
  if ('json' in answer) return answer.json
  throw new Error(`the answer ${path} is no JSON`)
}

/** Undefined if there is no such answer: the run has no data for it. */
async function jsonIfThere(context: AnswerContext, path: string): Promise<unknown> {
  if (!routeFor(path)) return undefined
  try {
    return await jsonAt(context, path)
  } catch (error) {
    if (error instanceof RefusedRequest) return undefined
    throw error
  }
}

/** A view without the times at which this store was written to. */
function exportedView(answer: unknown): RunView {
  const view = answer as RunView
  const { changedAt: _, sweep: __, ...entry } = view.entry
  return { ...view, entry: entry satisfies RunEntry }
}

/** The numbers of the forget samples, of which the page shows the images and the neighbours. */
function forgetNumbers({ sets, set, number }: SampleTable): readonly number[] {
  return number.filter((_, row) => sets[set[row] ?? -1] === 'forget')
}

function pageWith(page: PageFiles, first: string): ExportedFiles {
  const files = new Map([...page].map(([path, { bytes }]) => [path, bytes] as const))
  const html = new TextDecoder().decode(files.get('index.html'))
  if (!html.includes(PLACE)) throw new Error(`the page has no place for answers (${PLACE})`)
  const script = `<script src="${answerScriptPath(first)}"></script>`
  files.set('index.html', new TextEncoder().encode(html.replace(PLACE, script)))
  return files
}

function scriptsOf(answers: ReadonlyMap<string, unknown>): ExportedFiles {
  return new Map(
    [...answers].map(([path, answer]) => {
      // Canonical JSON has one form for equal answers.
      const text = answerScript(path, JSON.parse(canonicalJson(JSON.parse(JSON.stringify(answer)))))
      return [answerScriptPath(path), new TextEncoder().encode(text)] as const
    }),
  )
}
