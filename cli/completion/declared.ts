import type { Command } from 'commander'

/** A command as a shell completes it. */
export interface CompletedCommand {
  /** The words that select it, such as `store copy`. Empty for the program itself. */
  readonly words: readonly string[]
  readonly subcommands: readonly { readonly name: string; readonly about: string }[]
  readonly options: readonly CompletedOption[]
  /** Whether its first argument is the id of a run or of a sweep. */
  readonly takesRun: boolean
}

interface CompletedOption {
  readonly long: string
  readonly short: string | undefined
  readonly about: string
  readonly takesValue: boolean
}

/** The names of arguments that are ids of runs or of sweeps. */
const runArguments = ['run', 'id', 'ids', 'report']

/** Returns a program, its commands and their subcommands, each before its own subcommands. */
export function declaredCommands(
  command: Command,
  words: readonly string[] = [],
): readonly CompletedCommand[] {
  const [first] = command.registeredArguments
  const own: CompletedCommand = {
    words,
    subcommands: command.commands.map((one) => ({ name: one.name(), about: one.description() })),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .flatMap(({ long, short, description, required, optional }) =>
        long == null ? [] : [{ long, short, about: description, takesValue: required || optional }],
      ),
    takesRun: first !== undefined && runArguments.includes(first.name()),
  }
  return [own, ...command.commands.flatMap((one) => declaredCommands(one, [...words, one.name()]))]
}
