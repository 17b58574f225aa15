import type { Argument, Command, Option } from 'commander'
import { createProgram } from '../../cli/program.ts'
import { flow } from '../../experiment/spec/flow.ts'
import { code, plain, sentence, table } from './markdown.ts'

/** docs/reference/commands.md: every command with its arguments and options. */
export function commandsPage(): string {
  const commands = createProgram().commands
  const list = table(
    ['command', 'what it does'],
    commands.map((command) => {
      const name = command.name()
      const parts = command.commands.map((one) => code(one.name())).join(', ')
      return [
        `[\`${name}\`](#${name})`,
        `${plain(command.description())}${parts === '' ? '' : ` (${parts})`}`,
      ]
    }),
  )
  return [INTRODUCTION, list, ANSWERS, ...commands.map((command) => section(command, [], 2))].join('\n\n')
}

function section(command: Command, parents: readonly string[], level: number): string {
  const path = [...parents, command.name()]
  const { registeredArguments: args, commands: children } = command
  const options = command.options.filter(({ hidden }) => !hidden)
  const usage = ['./zeroshift', ...path, ...(options.length > 0 ? ['[options]'] : []), ...args.map(shown)]
  return [
    `${'#'.repeat(level)} \`${path.join(' ')}\``,
    plain(sentence(command.description())),
    ...(children.length === 0 || options.length > 0 ? [['```sh', usage.join(' '), '```'].join('\n')] : []),
    ...(args.length > 0 ? [table(['argument', 'meaning'], args.map(argumentRow))] : []),
    ...(options.length > 0 ? [table(['option', 'meaning'], options.map(optionRow))] : []),
    ...children.map((child) => section(child, path, level + 1)),
  ].join('\n\n')
}

function shown(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function argumentRow(argument: Argument): readonly string[] {
  return [code(shown(argument)), plain(argument.description)]
}

function optionRow({ flags, description, mandatory, negate, defaultValue }: Option): readonly string[] {
  const standard: unknown = defaultValue
  return [
    code(flags),
    [
      plain(description),
      ...(mandatory ? ['**required**'] : []),
      ...(standard === undefined || negate ? [] : [`default ${code(flow(standard))}`]),
    ].join('; '),
  ]
}

const INTRODUCTION = `# Commands

\`./zeroshift COMMAND --help\` prints the same. \`./zeroshift\` stands at the root of the repository.
\`./zeroshift --version\` prints the version, the commit of a checkout, and one digest of all code that computes stages.`

const ANSWERS = `## Output and exit codes

With \`--json\`, standard output is exactly one JSON object, also if the command is refused. Progress and messages go to standard error.

| exit code | meaning                                                                                                                                                              |
| --------- | -------------------------------------------------------------------------------------------------------------------------------------------------------------------- |
| 0         | The command is done. For \`verify\`: the bytes are the same. For \`check\`: the store is sound.                                                                         |
| 1         | A run or a cell of a sweep failed. For \`verify\`: the report does not hold. For \`check\`: the store is damaged. For both: a required signature is missing.              |
| 2         | The input is wrong. Nothing was changed.                                                                                                                             |
| 3         | For \`verify\` only: the bytes differ because the hardware differs, and the figures are within the floor that was computed here. This proves nothing about the bytes. |

Work that fails for a reason that may pass, such as a server that is away or a full disk, is tried again. After 5 seconds the command says
which work it is, why it failed and when the next attempt begins; \`status\` says it too, with \`--json\` as \`progress.retries\`.`
