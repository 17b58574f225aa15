import type { CompletedCommand } from './declared.ts'

/**
 * Returns the completion for bash: commands, options, ids of runs in a store that is a directory,
 * and otherwise files.
 */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const paths = commands.flatMap(({ words }) => (words.length === 0 ? [] : [`'${words.join(' ')}'`]))
  return `# Completion of zeroshift for bash: source <(zeroshift completion bash)
_zeroshift_runs() {
  local store=\${ZEROSHIFT_STORE:-.zeroshift/store} folder
  for folder in "$store"/runs/*/ "$store"/sweeps/*/; do
    [ -d "$folder" ] && basename "$folder"
  done
}
_zeroshift() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' next='' options='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in
      ${paths.join('|')}) path=$next ;;
    esac
  done
  case "$path" in
${commands.map(branch).join('\n')}
  esac
  COMPREPLY=()
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options --help" -- "$cur"))
  elif [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -o default -F _zeroshift zeroshift ./zeroshift
`
}

/** zsh executes completions of bash by its own module. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(commands)}`
}

function branch({ words, subcommands, options, takesRun }: CompletedCommand): string {
  const flags = options.flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])])
  const names = subcommands.map(({ name }) => name)
  const completed = takesRun ? '$(_zeroshift_runs)' : names.join(' ')
  return `    '${words.join(' ')}') options='${flags.join(' ')}' words="${completed}" ;;`
}
