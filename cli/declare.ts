import { Option, type Command } from 'commander'

/** An option of a command. `Received` is the part of the action's options that it contributes. */
interface DeclaredOption<Received extends object> {
  readonly create: () => Option
  /** Exists only in the type, so that `Received` can be inferred. */
  readonly received?: Received
}

/**
 * The name of an option in the action's options: `--max-parallel <n>` becomes `maxParallel`, and
 * `--no-s3` becomes `s3`.
 */
type NameIn<Flags extends string> = Flags extends `${string}--${infer Long}`
  ? CamelCase<WithoutNo<WithoutValue<Long>>>
  : never
type WithoutValue<Long extends string> = Long extends `${infer Name} ${string}` ? Name : Long
type WithoutNo<Name extends string> = Name extends `no-${infer Positive}` ? Positive : Name
type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

type Optional<Flags extends string, Value> = Readonly<Partial<Record<NameIn<Flags>, Value>>>
type Present<Flags extends string, Value> = Readonly<Record<NameIn<Flags>, Value>>

/** An option without a value. */
export function flag<F extends string>(flags: F, about: string): DeclaredOption<Optional<F, true>> {
  return { create: () => new Option(flags, about) }
}

/** An option of the form `--no-…`. The action receives true unless it is given. */
export function negation<F extends string>(flags: F, about: string): DeclaredOption<Present<F, boolean>> {
  return { create: () => new Option(flags, about) }
}

/** An option with a value. */
export function value<F extends string>(flags: F, about: string): DeclaredOption<Optional<F, string>> {
  return { create: () => new Option(flags, about) }
}

/** An option with a value that has a default. */
export function valueOr<F extends string>(
  flags: F,
  about: string,
  otherwise: string,
): DeclaredOption<Present<F, string>> {
  return { create: () => new Option(flags, about).default(otherwise) }
}

/** An option with a value that must be given. */
export function requiredValue<F extends string>(flags: F, about: string): DeclaredOption<Present<F, string>> {
  return { create: () => new Option(flags, about).makeOptionMandatory() }
}

/** An option with a value that may be given several times. */
export function values<F extends string>(
  flags: F,
  about: string,
): DeclaredOption<Optional<F, readonly string[]>> {
  const collect = (text: string, earlier: readonly string[] = []) => [...earlier, text]
  return { create: () => new Option(flags, about).argParser(collect) }
}

/**
 * `<name>` is required, `[name]` may be left out, `<names...>` takes one or more words, and
 * `[names...]` takes any number.
 */
interface DeclaredArgument {
  readonly name: string
  readonly about: string
}

type ArgumentValue<Name extends string> = Name extends `<${string}...>` | `[${string}...]`
  ? readonly string[]
  : Name extends `<${string}>`
    ? string
    : string | undefined
type ArgumentValues<A extends readonly DeclaredArgument[]> = {
  [I in keyof A]: ArgumentValue<A[I]['name']>
}

/** The options that an action receives for these declarations. */
type OptionsOf<O extends readonly DeclaredOption<object>[]> = O extends readonly [
  DeclaredOption<infer First>,
  ...infer Rest extends readonly DeclaredOption<object>[],
]
  ? First & OptionsOf<Rest>
  : unknown

/**
 * Prevents the declaration of an action that takes other options than the declared ones: the type
 * is `unknown` if they are the same, and otherwise one that no action has.
 */
type SameOptions<Declared, Taken> = Declared extends Taken
  ? [keyof Declared, keyof Taken] extends [keyof Taken, keyof Declared]
    ? unknown
    : { readonly action: OptionsDiffer<Exclude<keyof Declared | keyof Taken, keyof Declared & keyof Taken>> }
  : { readonly action: OptionsDiffer<keyof Declared> }
interface OptionsDiffer<Names> {
  readonly 'the action takes other options than the declared ones': Names
}

/**
 * A command with its help text and its action. `action` imports the module of the action, so that
 * the help text and other commands do not load it. The action returns the exit code.
 */
interface CommandDeclaration<
  A extends readonly DeclaredArgument[],
  O extends readonly DeclaredOption<object>[],
  Taken,
> {
  readonly name: string
  readonly about: string
  readonly arguments?: A
  /** Words such as `-name` that are no option are arguments. The action has to check them. */
  readonly allowsUnknownOptions?: true
  readonly options: O
  /** Commands whose names follow this one's name. */
  readonly subcommands?: readonly AddCommand[]
  readonly action: () => Promise<(...given: [...ArgumentValues<A>, Taken]) => number | Promise<number>>
}

/** Adds a declared command, or a group of them, to the program or to a group. */
export type AddCommand = (parent: Command) => void

export function declareCommand<
  const A extends readonly DeclaredArgument[],
  const O extends readonly DeclaredOption<object>[],
  Taken,
>({
  name,
  about,
  arguments: words,
  allowsUnknownOptions,
  options,
  subcommands,
  action,
}: CommandDeclaration<A, O, Taken> & SameOptions<OptionsOf<O>, Taken>): AddCommand {
  return (parent) => {
    const command = parent.command(name).description(about)
    for (const word of words ?? []) command.argument(word.name, word.about)
    command.allowUnknownOption(allowsUnknownOptions ?? false)
    for (const option of options) command.addOption(option.create())
    // An option behind a subcommand's name is the subcommand's own.
    if (subcommands) command.enablePositionalOptions()
    for (const add of subcommands ?? []) add(command)
    command.action(async (...given: [...ArgumentValues<A>, Taken]) => {
      const carryOut = await action()
      process.exitCode = await carryOut(...given)
    })
  }
}

/** Declares commands of two words, such as `store copy` and `store export`. */
export function declareGroup(name: string, about: string, commands: readonly AddCommand[]): AddCommand {
  return (parent) => {
    const group = parent.command(name).description(about)
    for (const add of commands) add(group)
  }
}
