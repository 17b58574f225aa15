import { describe, expect, test } from 'vitest'
import { commandName, withCommandName } from '../../../common/command-name.ts'

describe('the name of the command', () => {
  test.each([
    ['a path in the folder', { ZEROSHIFT_COMMAND: './zeroshift' }, './zeroshift'],
    ['a path elsewhere', { ZEROSHIFT_COMMAND: '../zs/zeroshift' }, '../zs/zeroshift'],
    ['found in PATH', { ZEROSHIFT_COMMAND: '/opt/bin/zeroshift', PATH: '/usr/bin:/opt/bin/' }, 'zeroshift'],
    ['an absolute path', { ZEROSHIFT_COMMAND: '/opt/bin/zeroshift', PATH: '/usr/bin' }, '/opt/bin/zeroshift'],
    [
      'by npx',
      {
        ZEROSHIFT_COMMAND: '/x/node_modules/.bin/zeroshift',
        npm_command: 'exec',
        PATH: '/x/node_modules/.bin',
      },
      'npx zeroshift',
    ],
    ['a path with a space', { ZEROSHIFT_COMMAND: '/my tools/zeroshift' }, "'/my tools/zeroshift'"],
    ['a path below npm exec', { ZEROSHIFT_COMMAND: './zeroshift', npm_command: 'exec' }, './zeroshift'],
    ['unknown', {}, './zeroshift'],
  ])('%s', (_, environment, expected) => {
    expect(commandName(environment)).toBe(expected)
  })

  test('it is in all commands of a message, and in no path', () => {
    expect(
      withCommandName(
        'To go on: ./zeroshift resume a, or `./zeroshift gc`; /x/./zeroshift and ./zeroshift.log stay',
        'zeroshift',
      ),
    ).toBe('To go on: zeroshift resume a, or `zeroshift gc`; /x/./zeroshift and ./zeroshift.log stay')
  })
})
