import { expect, test } from 'vitest'
import { codeDigests, codeNames } from '../../../activities/runtime/code-digests.ts'
import { codeLock, isLocked } from '../../../experiment/stages/code.ts'

const digests = await codeDigests(codeNames)

test('the lock knows every body', () => {
  const missing = codeNames.filter((name) => !codeLock[name])
  const gone = Object.keys(codeLock).filter((name) => !(codeNames as readonly string[]).includes(name))
  expect([...missing, ...gone], 'bodies that are new or gone; run: npm run code:lock').toEqual([])
})

test('every change of code is decided', () => {
  const open = codeNames.filter((name) => codeLock[name] && !isLocked(name, digests.get(name)?.digest ?? ''))
  expect(
    open,
    'the code of these stage kinds or methods is not that of experiment/stages/code-lock.json. Does it compute other results ' +
      'than before? Then give it a new version: npm run code:lock -- --raise. If the results are the same bytes, have ' +
      'that proved and recorded: npm run code:lock -- --same',
  ).toEqual([])
})

test('no digest depends on the lock that it is written to', () => {
  const files = [...digests.values()].flatMap(({ files }) => files)
  expect(files.length).toBeGreaterThan(0)
  expect(files.filter((file) => file.endsWith('code-lock.json'))).toEqual([])
})
