import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { copyOfCheckout, edit } from '../support/checkout.ts'
import { answerOf, smallConfig, zeroshiftOf } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { sharedStack } from '../support/shared-stack.ts'

const stack = sharedStack()
let directory: string
let copy: string
beforeAll(() => {
  directory = fileDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  copy = copyOfCheckout(fileDirectory())
  edit(copy, 'unlearning/methods/rfa.ts', 'mul(method.lambda)', 'mul(10 * method.lambda)')
})

test('an edited method is computed again, alone, and the report says so', async () => {
  const first = answerOf((await stack.here(directory, 'run', 'small.yaml', '--json')).stdout)
  expect(first).toMatchObject({ status: 'completed', stages: { computed: 13, cached: 0 } })

  const planned = await zeroshiftOf(copy, directory, 'run', 'small.yaml', '--dry-run', '--json').ended
  expect(planned.stderr + planned.stdout).toMatch(
    /Changed code, whose stages have keys of their own: unlearn:rfa \([0-9a-f]{12}\)\./,
  )
  const { plan = [] } = answerOf(planned.stdout)
  expect(plan.filter(({ cached }) => !cached).map(({ title }) => title)).toEqual([
    'unlearn by rfa',
    'evaluate rfa',
    'attack rfa',
    'compare rfa',
  ])

  const changed = answerOf((await zeroshiftOf(copy, directory, 'run', 'small.yaml', '--json').ended).stdout)
  expect(changed).toMatchObject({ status: 'completed', stages: { computed: 4, cached: 9 } })
  expect(changed.id).not.toBe(first.id)
  const report = (file: string) => readFileSync(join(fileURLToPath(changed.report), file), 'utf8')
  for (const file of ['index.html', 'report.md'])
    expect(report(file)).toMatch(/Computed by changed code: unlearn rfa, /)

  const again = answerOf((await stack.here(directory, 'run', 'small.yaml', '--json')).stdout)
  expect(again).toMatchObject({ id: first.id, stages: { computed: 0, cached: 13 } })
})

test('the code as it is refuses to go on with a run of changed code, and to verify its report', async () => {
  const { id } = answerOf((await zeroshiftOf(copy, directory, 'run', 'small.yaml', '--json').ended).stdout)
  const resumed = await zeroshiftHereWith({}, directory, 'resume', id)
  expect(resumed).toMatchObject({ code: 2 })
  expect(resumed.stderr).toMatch(
    /begun by other code of unlearn:rfa: version 1, changed code [0-9a-f]{12}; here version 1/,
  )
  const verified = await zeroshiftHereWith({}, directory, 'verify', id)
  expect(verified).toMatchObject({ code: 2 })
  expect(verified.stderr).toMatch(
    /"unlearn by rfa" has the key [0-9a-f]{12} \(of changed code, digest [0-9a-f]{12}\)/,
  )
})
