import type { CompletedCommand } from './declared.ts'

/** Returns the completion for fish, with the descriptions of commands and options. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return `# Completion of zeroshift for fish: zeroshift completion fish | source
function __zeroshift_runs
    set -l store .zeroshift/store
    set -q ZEROSHIFT_STORE; and set store $ZEROSHIFT_STORE
    for folder in $store/runs/*/ $store/sweeps/*/
        basename $folder
    end
end
complete -c zeroshift -s h -l help -d 'show the help text'
${commands.flatMap(lines).join('\n')}
`
}

function lines({ words, subcommands, options, takesRun }: CompletedCommand): readonly string[] {
  const condition = conditionOf(words, subcommands)
  const start = `complete -c zeroshift -n ${quoted(condition)}`
  return [
    ...subcommands.map(({ name, about }) => `${start} -f -a ${name} -d ${quoted(about)}`),
    ...options.map(
      ({ long, short, about, takesValue }) =>
        `${start} -l ${long.replace(/^--/, '')}${short === undefined ? '' : ` -s ${short.replace(/^-/, '')}`}${takesValue ? ' -r' : ''} -d ${quoted(about)}`,
    ),
    ...(takesRun ? [`${start} -f -a '(__zeroshift_runs)'`] : []),
  ]
}

/** Returns the condition that these words were typed and none of the subcommands. */
function conditionOf(words: readonly string[], subcommands: CompletedCommand['subcommands']): string {
  if (words.length === 0) return '__fish_use_subcommand'
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`)
  const names = subcommands.map(({ name }) => name)
  const unseen = names.length === 0 ? [] : [`not __fish_seen_subcommand_from ${names.join(' ')}`]
  return [...seen, ...unseen].join('; and ')
}

/** Returns the text as a word of fish, in which a backslash keeps quotation marks. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
