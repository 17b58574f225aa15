import type { Command } from 'commander'
import { createProgram } from '../../cli/program.ts'

/** A command as it is declared. */
export interface ListedCommand {
  /** Such as `adapter merge`, as a list. */
  readonly words: readonly string[]
  /** Words and options that satisfy the command's syntax and name nothing that exists. */
  readonly right: readonly string[]
  /** The arguments and options that must be given. */
  readonly needed: readonly string[]
  /** Values for the arguments that may be left out. */
  readonly optional: readonly string[]
  /** Whether its last argument may be repeated. */
  readonly isVariadic: boolean
  /** The options that take a value. */
  readonly valued: readonly string[]
  /** All options. */
  readonly options: readonly string[]
}

/** All commands that do something, subcommands among them, in the order of the help text. */
export const commandList: readonly ListedCommand[] = listed(createProgram(), [])

function listed(command: Command, words: readonly string[]): readonly ListedCommand[] {
  const inside = command.commands.flatMap((subcommand) => listed(subcommand, [...words, subcommand.name()]))
  // A group does nothing by itself, and has no options.
  if (inside.length > 0 && command.options.length === 0) return inside
  const { registeredArguments } = command
  const needed = registeredArguments.filter(({ required }) => required)
  const nameOf = ({ long }: { readonly long?: string | undefined }) => long ?? ''
  const mandatory = command.options.filter((option) => option.mandatory).map(nameOf)
  return [
    {
      words,
      right: [
        ...words,
        ...needed.map(() => 'nothing-00000000'),
        ...mandatory.flatMap((option) => [option, 'nothing']),
      ],
      needed: [...needed.map((argument) => `<${argument.name()}>`), ...mandatory],
      optional: registeredArguments.filter(({ required }) => !required).map(() => 'nothing'),
      isVariadic: registeredArguments.some(({ variadic }) => variadic),
      valued: command.options.filter(({ required }) => required).map(nameOf),
      options: command.options.map(nameOf),
    },
    ...inside,
  ]
}
