import {
  environmentVariables,
  variableGroups,
  type EnvironmentVariable,
} from '../../common/environment-variables.ts'
import { code, plain, table } from './markdown.ts'

/** docs/reference/environment.md: every environment variable that has an effect. */
export function environmentPage(): string {
  const sections = variableGroups.flatMap((group) => {
    const rows = environmentVariables.filter((variable) => variable.group === group).map(rowOf)
    return [`## ${group}`, table(['variable', 'meaning', 'values'], rows)]
  })
  return [INTRODUCTION, ...sections].join('\n\n')
}

function rowOf(variable: EnvironmentVariable): readonly string[] {
  const { name, meaning, values, readBy, library, isSecret } = variable
  const reader = library === undefined ? '' : ` (${plain(library)})`
  const standard = variable.default === undefined ? '' : `<br>_Default:_ ${plain(variable.default)}`
  return [
    `${code(name)}${isSecret ? ` or ${code(`${name}_FILE`)}` : ''}`,
    `${plain(meaning)}<br>_Read by:_ ${readBy.join(', ')}${reader}`,
    `${plain(values)}${standard}`,
  ]
}

const INTRODUCTION = `# Environment variables

Options of commands and of configs come first, then these variables. A secret may be in a file instead: \`NAME_FILE\` names the file whose
content is used as \`NAME\`, without white space around it.

_Read by_ says where a variable has to be set: for the commands on your machine, for the workers, or for the set-up of a checkout. A library in
parentheses reads the variable itself.`
