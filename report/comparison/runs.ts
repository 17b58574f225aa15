import { code, prose, type Section } from '../blocks.ts'
import { differing } from './differing.ts'
import { limits } from './limits.ts'
import type { Overview } from './overview.ts'
import { valueText } from './words.ts'

/** Runs without anything to compare, and the reasons; undefined if there are none. */
export function missingSection({ runs, comparison }: Overview): Section | undefined {
  const gone = runs.flatMap(({ run, missing }) => (missing === undefined ? [] : [{ run, missing }]))
  if (gone.length === 0) return undefined
  const columns = comparison.columns.slice(0, limits.columns)
  return {
    title: 'Missing',
    id: 'missing',
    blocks: [
      ...(gone.length > limits.listed
        ? [prose(`The first ${limits.listed} of ${gone.length}; results.csv has all.`)]
        : []),
      {
        kind: 'table',
        name: 'Missing runs',
        id: 'missing',
        columns: [
          { label: 'Run' },
          ...columns.map(({ name }) => ({ label: name, text: true })),
          { label: 'Reason', text: true },
        ],
        rows: gone.slice(0, limits.listed).map(({ run, missing }) => ({
          cells: [run.id, ...columns.map((_, i) => valueText(run.values[i] ?? null)), missing],
        })),
      },
    ],
  }
}

/** The columns: their paths in a spec and their values; undefined if the specs do not differ. */
export function differencesSection(overview: Overview): Section | undefined {
  const columns = differing(overview)
  if (columns.length === 0) return undefined
  return {
    title: 'What differs',
    blocks: [
      {
        kind: 'table',
        name: 'What differs',
        id: 'differences',
        columns: [{ label: 'Column' }, { label: 'In the spec', text: true }, { label: 'Values', text: true }],
        rows: columns.map(({ name, path, values }) => ({ cells: [name, path, values] })),
      },
    ],
  }
}

export function reproductionSection({ comparison }: Overview, digest: string): Section {
  const { command, runs } = comparison
  const listed = runs.slice(0, limits.listed)
  const commands = listed.map(
    ({ id, command, outcome }) =>
      `# ${id}${'digest' in outcome ? `: ${outcome.digest}` : ', missing'}\n${command}\n`,
  )
  return {
    title: 'Reproduce',
    blocks: [
      code(command, 'sh'),
      prose(
        'On the same device and number of threads, the runs give the same bytes and this SHA-256 of what was computed:',
      ),
      code(digest),
      {
        kind: 'details',
        summary:
          runs.length > listed.length
            ? `The first ${listed.length} of ${runs.length} runs, each alone; results.csv has all`
            : 'Each run alone',
        blocks: [code(commands.join(''), 'sh')],
      },
    ],
  }
}
