import { zeroshiftHere } from './in-process.ts'

/** A command as its own `--help` describes it. */
export interface ListedCommand {
  /** Such as `adapter merge`, as a list. */
  readonly words: readonly string[]
  /** Words and options with which it is whole, and names nothing that is there. */
  readonly right: readonly string[]
  /** The required arguments and options of the command. */
  readonly needed: readonly string[]
  /** Arguments that may be left out. */
  readonly optional: readonly string[]
  /** Its last argument may be repeated. */
  readonly isVariadic: boolean
  /** Options that take a value. */
  readonly valued: readonly string[]
}

/** All commands that do something, subcommands among them. */
export async function commandsOf(
  directory: string,
  ...words: readonly string[]
): Promise<readonly ListedCommand[]> {
  const { stdout: help } = await zeroshiftHere(directory, ...words, '--help')
  const subcommands = sectionOf(help, 'Commands').flatMap(([name = '']) => (name === 'help' ? [] : [name]))
  if (subcommands.length > 0)
    return (await inTurn(subcommands, (name) => commandsOf(directory, ...words, name))).flat()
  const usage = /^Usage: (.*)$/m.exec(help)?.[1] ?? ''
  const needed = usage.match(/<[^>]+>/g) ?? []
  const valued = sectionOf(help, 'Options').flatMap((terms) =>
    terms.some((term) => term.startsWith('<')) ? (terms.find((term) => term.startsWith('--')) ?? []) : [],
  )
  // The help does not say which options are required.
  const options = words[0] === 'adapter' ? requiredOf(words[1]) : []
  return [
    {
      words,
      right: [
        ...words,
        ...needed.map(() => 'nothing-00000000'),
        ...options.flatMap((option) => [option, 'nothing']),
      ],
      needed: [...needed, ...options],
      optional: (usage.match(/\[(?!options)[^\]]+\]/g) ?? []).map(() => 'nothing'),
      isVariadic: usage.includes('...'),
      valued,
    },
  ]
}

function requiredOf(verb: string | undefined): readonly string[] {
  return { export: ['--out'], merge: ['--base', '--out'], apply: ['--base'] }[verb ?? ''] ?? []
}

/** The terms of a section of help: words before the description, without commas. */
function sectionOf(help: string, title: string): readonly (readonly string[])[] {
  const [, text = ''] = new RegExp(`^${title}:\\n((?: .*\\n?)+)`, 'm').exec(help) ?? []
  return [...text.matchAll(/^ {2}(\S.*?)(?: {2}|$)/gm)].map(([, terms = '']) => terms.split(/,? /))
}

async function inTurn<T, R>(all: readonly T[], one: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of all) results.push(await one(item))
  return results
}
