import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { completion } from '../../../../cli/actions/completion.ts'
import { createProgram } from '../../../../cli/program.ts'
import { commandList } from '../../../support/command-list.ts'
import { testDirectory } from '../../../support/directories.ts'
import { captureOutput } from '../../../support/output.ts'

function scriptOf(shell: string): string {
  const output = captureOutput('stdout')
  completion(shell, createProgram())
  return output.text
}

/** What bash offers for the last of these words. */
function offered(directory: string, ...words: readonly string[]): readonly string[] {
  const script = `${scriptOf('bash')}
COMP_WORDS=(zeroshift "$@")
COMP_CWORD=$#
_zeroshift
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  return stdout.split('\n').filter((word) => word !== '')
}

test.each<[string, readonly string[], readonly string[]]>([
  ['commands', ['compl'], ['completion']],
  ['subcommands', ['adapter', 'm'], ['merge']],
  ['options', ['run', '--dr'], ['--dry-run']],
  ['options of a subcommand', ['store', 'copy', '--ke'], ['--keep']],
  ['subcommands of a command with an action', ['setup', 'se'], ['search-attributes']],
  ['ids of runs', ['status', 'digits'], ['digits-0123abcd']],
  ['ids of sweeps, after an option', ['report', '--out', 'x', 'ranks'], ['ranks-89abcdef']],
  ['no ids for a config', ['run', ''], []],
])('bash completes %s', (_, words, expected) => {
  const directory = testDirectory()
  mkdirSync(join(directory, '.zeroshift/store/runs/digits-0123abcd'), { recursive: true })
  mkdirSync(join(directory, '.zeroshift/store/sweeps/ranks-89abcdef'), { recursive: true })
  expect(offered(directory, ...words)).toEqual(expected)
})

test.each(['bash', 'zsh', 'fish'])('the script for %s names every command and every option', (shell) => {
  const script = scriptOf(shell)
  for (const { words, options } of commandList) {
    expect(script).toContain(words.at(-1))
    for (const option of options) expect(script).toContain(option.replace(shell === 'fish' ? /^--/ : '', ''))
  }
})

test('another shell is refused', () => {
  expect(() => completion('powershell', createProgram())).toThrow(
    "completes for bash, zsh, fish; found 'powershell'",
  )
})
