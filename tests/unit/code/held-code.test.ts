import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { codeDigests } from '../../../activities/runtime/code-digests.ts'
import { HeldCode, OtherCodeError } from '../../../activities/runtime/held-code.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Stage } from '../../../experiment/stages/stage.ts'
import { errorOf } from '../../support/errors.ts'
import { copyOfCheckout, edit } from '../../support/checkout.ts'
import { testDirectory } from '../../support/directories.ts'
import { sampleRun } from '../../support/run.ts'

const { spec, facts, plan: locked } = sampleRun().run
const method = 'unlearning/methods/rfa.ts'

let copy: string
beforeEach(() => {
  copy = copyOfCheckout(testDirectory())
})

function rfaOf({ candidates }: typeof locked): Stage {
  const stage = candidates.find((candidate) => candidate.method === 'rfa')?.unlearn
  if (!stage) throw new Error('the sample has no rfa')
  return stage
}

const refusal = (held: HeldCode, stage: Stage) => errorOf(held.check(stage), OtherCodeError)

const change = () => {
  edit(copy, method, 'mul(method.lambda)', 'mul(10 * method.lambda)')
}

async function digestHere(): Promise<string> {
  return (await codeDigests(['unlearn:rfa'], copy)).get('unlearn:rfa')?.digest ?? ''
}

test('a worker with the planned code computes', async () => {
  await expect(new HeldCode(copy).check(rfaOf(locked))).resolves.toBeUndefined()
  change()
  const changed = plan(spec, facts, { 'unlearn:rfa': await digestHere() })
  await expect(new HeldCode(copy).check(rfaOf(changed))).resolves.toBeUndefined()
})

test('a worker with other code refuses that method alone, names both and says what to do', async () => {
  change()
  const held = new HeldCode(copy)
  const error = await refusal(held, rfaOf(locked))
  expect(error.message).toContain(
    `the code of unlearn:rfa of version 1, as locked, and this worker has of version 1, changed, digest ${(await digestHere()).slice(0, 12)}`,
  )
  expect(error.message).toMatch(/Start a worker from the checkout/)
  await expect(held.check(locked.original)).resolves.toBeUndefined()
})

test('so does one without the changed code, and one of another version', async () => {
  const held = new HeldCode(copy)
  const code = 'ab'.repeat(32)
  const changed = await refusal(held, rfaOf(plan(spec, facts, { 'unlearn:rfa': code })))
  expect(changed.message).toContain(
    `changed, digest ${code.slice(0, 12)}, and this worker has of version 1, as locked`,
  )
  const newer = await refusal(held, { ...rfaOf(locked), version: 2 })
  expect(newer.message).toContain('of version 2, as locked, and this worker has of version 1, as locked')
})

test('an edit after the start counts until the body is loaded', async () => {
  const held = new HeldCode(copy)
  change()
  expect((await refusal(held, rfaOf(locked))).message).toMatch(
    /^unlearning\/methods\/rfa\.ts was edited after/,
  )
  await expect(held.check(locked.original)).resolves.toBeUndefined()
  edit(copy, 'activities/stages/train.ts', 'export const train', 'export const again = 1\nexport const train')
  await expect(held.check(locked.original)).resolves.toBeUndefined()
})

describe('a compiled worker', () => {
  const compiledFrom = async () => {
    const digests = await codeDigests(['unlearn:rfa', 'train'], copy)
    const files = [...digests.values()].flatMap(({ files }) => files).filter((file) => file.endsWith('.ts'))
    const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
    return Object.fromEntries(files.map((file) => [file.slice(copy.length + 1), sha256(file)]))
  }

  test('computes with the sources that it was compiled from', async () => {
    const held = new HeldCode(copy, await compiledFrom())
    await expect(held.check(rfaOf(locked))).resolves.toBeUndefined()
    await expect(held.check(locked.original)).resolves.toBeUndefined()
  })

  test('refuses a body whose sources were edited between the compilation and the start', async () => {
    const compiled = await compiledFrom()
    change()
    const changed = plan(spec, facts, { 'unlearn:rfa': await digestHere() })
    const held = new HeldCode(copy, compiled)
    expect((await refusal(held, rfaOf(changed))).message).toMatch(
      /^unlearning\/methods\/rfa\.ts was edited after/,
    )
    await expect(held.check(locked.original)).resolves.toBeUndefined()
  })

  test('refuses a body with a source that was not compiled', async () => {
    const { [method]: _, ...others } = await compiledFrom()
    expect((await refusal(new HeldCode(copy, others), rfaOf(locked))).message).toMatch(
      /^unlearning\/methods\/rfa\.ts was edited after/,
    )
  })
})
